import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileFailure } from '../../ca/file-failure.ts';
import { asPem } from '../../ca/pem.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { cannotWrite, keepOutOfStore } from '../output-file.ts';

const step = 'signing a request';
const option = '-o';

/** A request, PEM; DER is taken too. */
export function readRequestFile(file: string): string {
  try {
    return asPem(readFileSync(file), 'CERTIFICATE REQUEST');
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, step, error);
  }
}

/** Nothing is written over: a wrong -o could be a key. */
export function targetsOf(
  files: readonly string[],
  output: string | undefined,
): readonly (string | undefined)[] {
  if (output === undefined) return files.map(() => undefined);
  keepOutOfStore(output, { step, option });
  const isFolder = statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && files.length > 1 && !existsSync(output)) {
    try {
      mkdirSync(output, { recursive: true });
    } catch (error) {
      throw fileFailure(`cannot make ${output}`, step, error);
    }
  }
  const targets =
    isFolder || files.length > 1 ? files.map((file) => join(output, `${stem(file)}.crt`)) : [output];
  const taken = targets.find((target, index) => existsSync(target) || targets.indexOf(target) < index);
  if (taken === undefined) return targets;
  throw new KbinError(existsSync(taken) ? `${taken} exists already` : `two requests would become ${taken}`, {
    step,
    why: 'nothing is written over, and nothing was signed',
    next: 'name another file or folder with -o',
    exit: exitCode.usage,
  });
}

const stem = (file: string): string => basename(file).replace(/\.(csr|req|pem)$/i, '');

export function write(file: string, pem: string): void {
  try {
    writeFileSync(file, pem, { flag: 'wx' });
  } catch (error) {
    throw cannotWrite(file, { step, option }, error);
  }
}
