import { readFileSync } from 'node:fs';
import { fileFailure } from '../ca/file-failure.ts';
import { exitCode, KbinError } from '../errors.ts';
import { presentFile, putInPlace } from './private-file.ts';

const writing = { step: 'writing a kubeconfig', what: 'a kubeconfig' };
const { step } = writing;
/** The first line of what kbin writes. kubectl drops it when it changes the file: then it is the user's. */
const mark = '# Written by "kbin kubeconfig"';

/** With the line by which it is known again. */
export function marked(text: string, what: string): string {
  return `${mark}: ${what}\n${text}`;
}

/** Puts it in place whole, with mode 0600. Never over a file of somebody else's unless forced. */
export function writeKubeconfig(path: string, text: string, force: boolean): void {
  const file = presentFile(path, writing);
  if (file !== undefined && !force) refuseForeign(file);
  putInPlace(path, text, writing);
}

function refuseForeign(file: string): void {
  if (read(file).startsWith(mark)) return;
  throw new KbinError(`${file} exists already`, {
    step,
    why: 'it is not as kbin wrote it; there may be other clusters in it',
    next: 'name another file with -o and add it to $KUBECONFIG, or write over it with --force',
    exit: exitCode.usage,
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileFailure(`cannot read ${file}, which is there already`, step, error);
  }
}
