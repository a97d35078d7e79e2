import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { errorCode, fileFailure } from '../ca/file-failure.ts';
import { storeAround } from '../ca/folders.ts';
import { exitCode, KbinError } from '../errors.ts';

/** What a command writes into a file that its user names, and what of his it may take the place of. */
export interface Output {
  /** For messages. */
  readonly step: string;
  /** That names the file: `-o`. */
  readonly option: string;
  /** `a certificate request`. */
  readonly what: string;
  /** Whether a file's content is of that kind, and loses nothing when it is replaced. */
  readonly isOne: (content: Buffer) => boolean;
}

/**
 * Throws KbinError when the file lies in a certificate store, or holds anything that is not to be replaced: a slip in a
 * file's name must not cost a key. For before the work is begun; writeOutput looks again.
 */
export function refuseTaken(file: string, output: Output): void {
  present(file, output);
}

/** Over an earlier one of its kind, or where nothing is. Throws KbinError when it cannot be written. */
export function writeOutput(file: string, content: string, output: Output): void {
  const flag = present(file, output) ? 'w' : 'wx';
  try {
    writeFileSync(file, content, { flag });
  } catch (error) {
    throw cannotWrite(file, output, error);
  }
}

/** Whether something is there that may be written to. */
function present(file: string, output: Output): boolean {
  const { step, option, what, isOne } = output;
  keepOutOfStore(file, output);
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return false;
    // A pipe, or a terminal.
    if (!found.isFile() && !found.isDirectory()) return true;
    const content = readFileSync(file);
    if (content.length === 0 || isOne(content)) return true;
  } catch (error) {
    throw cannotWrite(file, output, error);
  }
  throw new KbinError(`${file} exists already`, {
    step,
    why: `it is not ${what}, and nothing else is ever written over`,
    next: `name another file with ${option}`,
    exit: exitCode.usage,
  });
}

/** Whatever is written where a user says: what lies in the store is kbin's own, and keys among it. */
export function keepOutOfStore(path: string, { step, option }: Pick<Output, 'step' | 'option'>): void {
  const store = storeAround(path);
  if (store === undefined) return;
  throw new KbinError(`${path} lies in the certificate store ${store}`, {
    step,
    why: 'keys lie there, and nothing is written into it but what kbin keeps there itself',
    next: `name a place outside of it with ${option}`,
    exit: exitCode.usage,
  });
}

export function cannotWrite(
  file: string,
  { step, option }: Pick<Output, 'step' | 'option'>,
  error: unknown,
): KbinError {
  if (errorCode(error) !== 'ENOENT') return fileFailure(`cannot write ${file}`, step, error);
  const next = `make the folder, or name another file with ${option}`;
  return new KbinError(`cannot write ${file}`, { step, why: 'there is no such folder', next, cause: error });
}
