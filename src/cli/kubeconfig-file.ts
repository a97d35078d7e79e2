import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { errorCode, fileFailure } from '../ca/file-failure.ts';
import { exitCode, KbinError } from '../errors.ts';

const step = 'writing a kubeconfig';
/** The first line of what kbin writes. kubectl drops it when it changes the file: then it is the user's. */
const mark = '# Written by "kbin kubeconfig"';

/** With the line by which it is known again. */
export function marked(text: string, what: string): string {
  return `${mark}: ${what}\n${text}`;
}

/** Puts it in place whole, with mode 0600 from the first byte on. Never over a file of somebody else's unless forced. */
export function writeKubeconfig(path: string, text: string, force: boolean): void {
  const file = present(path);
  if (file !== undefined && !force) refuseForeign(file);
  const target = file ?? path;
  const staged = `${target}.${randomBytes(6).toString('hex')}.new`;
  try {
    const descriptor = openSync(staged, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(staged, target);
  } catch (error) {
    rmSync(staged, { force: true });
    if (errorCode(error) !== 'ENOENT') throw fileFailure(`cannot write ${path}`, step, error);
    const next = 'make the folder, or name another file with -o';
    throw new KbinError(`cannot write ${path}`, { step, why: 'there is no such folder', next, cause: error });
  }
}

/** Where the file really lies (a link stays one); undefined when it is not there. */
function present(path: string): string | undefined {
  try {
    const file = realpathSync(path);
    if (statSync(file).isFile()) return file;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw fileFailure(`cannot write ${path}`, step, error);
  }
  throw new KbinError(`${path} is not a file`, {
    step,
    why: 'a kubeconfig is put in the place of what was there',
    next: 'name a file with -o; without -o it goes to standard output',
    exit: exitCode.usage,
  });
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
