import {
  closeSync,
  existsSync,
  fchmodSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileFailure } from './file-failure.ts';
import { storeFolders } from './layout.ts';

/**
 * Several files that change together, whatever happens: a certificate and its key, or a whole new store.
 *
 * Each file is staged beside its place as `FILE.new`. Once all of them are on the disk, a list of their names is put
 * in place as `.commit`; that one rename is the moment at which the change happens. Then the files are renamed and the
 * list removed. After a crash `recover` finds the list and renames what is left, or finds none and removes the rest.
 * Readers that come in between read `FILE.new` where the list names it (effectiveFiles).
 *
 * One transaction at a time: only under the store's lock.
 */
export interface Transaction {
  /** `path` below the folder. Written at once; its way to the disk goes on while the next one is made. */
  stage(file: StoreFile): void;
  commit(): Promise<void>;
  /** Takes back what was staged. For use when making the rest failed. */
  abort(): void;
}

export interface StoreFile {
  readonly path: string;
  readonly content: string;
  readonly mode: 0o600 | 0o644;
}

export const commitList = '.commit';
const staged = '.new';

export function begin(folder: string): Transaction {
  const paths: string[] = [];
  const written: Promise<void>[] = [];
  return {
    stage(file) {
      paths.push(file.path);
      written.push(stageFile(folder, file));
    },
    async commit() {
      const settled = await Promise.allSettled(written);
      const failed = settled.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      await makeItSo(folder, paths);
    },
    abort() {
      // The files' way to the disk may still go on; that they are gone does not disturb it.
      for (const result of written) result.catch(() => undefined);
      for (const path of paths) rmSync(join(folder, path + staged), { force: true });
    },
  };
}

async function makeItSo(folder: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const folders = [...new Set(paths.map((path) => dirname(join(folder, path))))];
  await syncFolders([...folders, folder]);
  await stageFile(folder, { path: commitList, content: JSON.stringify(paths), mode: 0o600 });
  renameSync(join(folder, commitList + staged), join(folder, commitList));
  await syncFolders([folder]);
  await finish(folder, paths);
}

async function finish(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const from = join(folder, path + staged);
    if (existsSync(from)) renameSync(from, join(folder, path));
  }
  await syncFolders(new Set(paths.map((path) => dirname(join(folder, path)))));
  rmSync(join(folder, commitList));
  await syncFolders([folder]);
}

/** Carries an interrupted transaction to its end, or takes it back. Only under the store's lock. */
export async function recover(folder: string): Promise<void> {
  const paths = committedPaths(folder);
  if (paths !== undefined) await finish(folder, paths);
  for (const below of ['.', ...storeFolders]) {
    const path = join(folder, below);
    if (!existsSync(path)) continue;
    for (const name of readdirSync(path)) {
      if (name.endsWith(staged)) rmSync(join(path, name), { force: true });
    }
  }
}

/** What an interrupted, or still running, transaction has decided to put in place; undefined when there is none. */
function committedPaths(folder: string): readonly string[] | undefined {
  const file = join(folder, commitList);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as readonly string[];
}

/** Where the content of `path` stands now, for a reader that does not hold the lock: the first that exists. */
export function effectiveFiles(folder: string): (path: string) => readonly string[] {
  const committed = new Set(committedPaths(folder));
  return (path) => {
    const file = join(folder, path);
    return committed.has(path) ? [file + staged, file] : [file];
  };
}

async function stageFile(folder: string, { path, content, mode }: StoreFile): Promise<void> {
  const file = join(folder, path);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const descriptor = openSync(file + staged, 'w', mode);
    try {
      fchmodSync(descriptor, mode);
      writeSync(descriptor, content);
      await sync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileFailure(`cannot write ${file}`, 'certificate store', error);
  }
}

async function syncFolders(folders: Iterable<string>): Promise<void> {
  await Promise.all(
    [...folders].map(async (path) => {
      const descriptor = openSync(path, 'r');
      try {
        await sync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }),
  );
}

function sync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
