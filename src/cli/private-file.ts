import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { errorCode, fileFailure } from '../ca/file-failure.ts';
import { exitCode, KbinError } from '../errors.ts';
import { cannotWrite, keepOutOfStore } from './output-file.ts';

/** What is being written, for messages: step and noun. */
export interface Writing {
  readonly step: string;
  /** `a kubeconfig`. */
  readonly what: string;
}

/** Puts it in place whole, with mode 0600 from the first byte on; a link goes on pointing to the file. */
export function putInPlace(path: string, content: string | Uint8Array, { step, what }: Writing): void {
  const target = presentFile(path, { step, what }) ?? path;
  const staged = `${target}.${randomBytes(6).toString('hex')}.new`;
  try {
    const descriptor = openSync(staged, 'wx', 0o600);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(staged, target);
  } catch (error) {
    rmSync(staged, { force: true });
    throw cannotWrite(path, { step, option: '-o' }, error);
  }
}

/** Where the file really lies (a link stays one); undefined when it is not there. Throws when it is no file, or in a store. */
export function presentFile(path: string, { step, what }: Writing): string | undefined {
  keepOutOfStore(path, { step, option: '-o' });
  try {
    const file = realpathSync(path);
    if (statSync(file).isFile()) return file;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw fileFailure(`cannot write ${path}`, step, error);
  }
  throw new KbinError(`${path} is not a file`, {
    step,
    why: `${what} is put in the place of what was there`,
    next: 'name a file with -o; without -o it goes to standard output',
    exit: exitCode.usage,
  });
}
