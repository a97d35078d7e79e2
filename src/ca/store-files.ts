import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KbinError } from '../errors.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { storeFolders } from './layout.ts';
import { effectiveFiles, stagedSuffix } from './transaction.ts';

const step = 'certificate store';

export type FileReading =
  | { readonly state: 'absent' }
  | { readonly state: 'read'; readonly content: Buffer; readonly mode: number }
  /** It exists, and this user may not read it. */
  | { readonly state: 'closed'; readonly reason: string };

/** The store's files as one reader sees them; tests have them in memory. */
export interface StoreFiles {
  /** `path` below pki/. */
  read(path: string): FileReading;
  /** Paths of everything in the store's folders. */
  list(): readonly string[];
  /** For messages: where a reader of the message finds that file. */
  place(path: string): string;
}

/**
 * Runs `look` on the files of the folder and returns what it returned, of one moment: when another process changed the
 * store meanwhile, it looks again. Takes no lock, so it works where nothing may be written. `look` must not wait.
 */
export function readConsistently<T>(folder: string, look: (files: StoreFiles) => T): T {
  for (let attempt = 0; attempt < 100; attempt++) {
    const before = stamps(folder);
    const result = look(diskFiles(folder));
    if (stamps(folder) === before) return result;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  throw new KbinError(`${folder} keeps changing while it is read`, {
    step,
    next: 'wait until the other kbin is done, and run the command again',
  });
}

/** Every rename in the store changes a folder's modification time. */
function stamps(folder: string): string {
  return ['.', ...storeFolders].map((name) => stampOf(join(folder, name))).join();
}

function stampOf(path: string): string {
  try {
    return String(statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? '-');
  } catch (error) {
    throw fileFailure(`cannot read ${path}`, step, error);
  }
}

export function diskFiles(folder: string): StoreFiles {
  const candidates = effectiveFiles(folder);
  return {
    read(path) {
      for (const file of candidates.of(path)) {
        const reading = readFile(file);
        if (reading.state !== 'absent') return reading;
      }
      return { state: 'absent' };
    },
    list: () => candidates.list(listFiles(folder)),
    place: (path) => join(folder, path),
  };
}

function listFiles(folder: string): readonly string[] {
  const paths = storeFolders.flatMap((below) => {
    const path = join(folder, below);
    try {
      return readdirSync(path).map((name) => `${below}/${name}`);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw fileFailure(`cannot read ${path}`, step, error);
    }
  });
  return paths.filter((path) => !path.endsWith(stagedSuffix));
}

function readFile(file: string): FileReading {
  try {
    return { state: 'read', content: readFileSync(file), mode: statSync(file).mode & 0o777 };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { state: 'absent' };
    if (code === 'EACCES' || code === 'EPERM') return { state: 'closed', reason: 'you may not read it' };
    throw fileFailure(`cannot read ${file}`, step, error);
  }
}
