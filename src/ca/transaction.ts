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
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { KbinError } from '../errors.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { storeFolders } from './layout.ts';

/**
 * Several files that change together, whatever happens: a certificate and its key, or a whole new store.
 *
 * Each file is staged beside its place as `FILE.new`. Once all of them are on the disk, a list of their names is put
 * in place as `.commit`; that one rename is the moment at which the change happens. Then the files are renamed and the
 * list removed. After a crash `recover` finds the list and renames what is left, or finds none and removes the rest.
 * Readers that come in between read `FILE.new` where the list names it, and nothing where it names a file that goes
 * (effectiveFiles).
 *
 * One transaction at a time: only under the store's lock.
 */
export interface Transaction {
  /** `path` below the folder. Written at once; its way to the disk goes on while the next one is made. */
  stage(file: StoreFile): void;
  /** Has a file go in the same moment. One that is not there is no failure, and one that is staged stays. */
  remove(path: string): void;
  commit(): Promise<void>;
  /** Takes back what was staged; for use when making the rest, or `commit`, failed. */
  abort(): void;
}

export interface StoreFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: 0o600 | 0o644;
}

const step = 'certificate store';

export const commitList = '.commit';
export const stagedSuffix = '.new';

/** What `.commit` says: paths below the folder. */
interface CommitList {
  readonly put: readonly string[];
  readonly remove: readonly string[];
}

export function begin(folder: string): Transaction {
  const paths: string[] = [];
  const removed: string[] = [];
  const written: Promise<void>[] = [];
  return {
    stage(file) {
      paths.push(file.path);
      const onDisk = stageFile(folder, file);
      // Its failure is told by commit; until then nobody listens, and that is no defect.
      onDisk.catch(() => undefined);
      written.push(onDisk);
    },
    remove(path) {
      removed.push(path);
    },
    async commit() {
      const settled = await Promise.allSettled(written);
      const failed = settled.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      await makeItSo(folder, { put: paths, remove: removed.filter((path) => !paths.includes(path)) });
    },
    abort() {
      // Once decided upon, it is carried through: by the next one who takes the lock.
      if (existsSync(join(folder, commitList))) return;
      for (const path of paths) rmSync(join(folder, path + stagedSuffix), { force: true });
    },
  };
}

async function makeItSo(folder: string, changes: CommitList): Promise<void> {
  if (changes.put.length + changes.remove.length === 0) return;
  const list = { path: commitList, content: JSON.stringify(changes), mode: 0o600 } as const;
  await Promise.all([stageFile(folder, list), syncFolders(new Set([...foldersOf(folder, changes), folder]))]);
  try {
    renameSync(join(folder, commitList + stagedSuffix), join(folder, commitList));
  } catch (error) {
    throw fileFailure(`cannot write ${join(folder, commitList)}`, step, error);
  }
  await syncFolders([folder]);
  await finish(folder, changes);
}

async function finish(folder: string, changes: CommitList): Promise<void> {
  for (const path of changes.put) {
    renameIfThere(join(folder, path + stagedSuffix), join(folder, path));
  }
  for (const path of changes.remove) removeFile(join(folder, path));
  await syncFolders(foldersOf(folder, changes));
  removeFile(join(folder, commitList));
  await syncFolders([folder]);
}

function foldersOf(folder: string, { put, remove }: CommitList): Set<string> {
  const folders = new Set([...put, ...remove].map((path) => dirname(join(folder, path))));
  return new Set([...folders].filter((path) => existsSync(path)));
}

/** What an interrupted run has renamed already is no longer there. */
function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || !existsSync(to))
      throw fileFailure(`cannot write ${to}`, step, error);
  }
}

/** Carries an interrupted transaction to its end, or takes it back. Only under the store's lock. */
export async function recover(folder: string): Promise<void> {
  const changes = committedChanges(folder);
  if (changes !== undefined) await finish(folder, changes);
  for (const below of ['.', ...storeFolders]) {
    const path = join(folder, below);
    for (const name of namesIn(path)) {
      if (name.endsWith(stagedSuffix)) removeFile(join(path, name));
    }
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw fileFailure(`cannot read ${path}`, step, error);
  }
}

function removeFile(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw fileFailure(`cannot remove ${file}`, step, error);
  }
}

/** What an interrupted, or still running, transaction has decided to put in place; undefined when there is none. */
function committedChanges(folder: string): CommitList | undefined {
  const file = join(folder, commitList);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CommitList;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    if (errorCode(cause) !== undefined) throw fileFailure(`cannot read ${file}`, step, cause);
    throw new KbinError(`${file} is damaged`, {
      step,
      why: 'it lists files that an interrupted run was about to put in place, and cannot be read',
      next: 'look at the *.new files below the folder: rename them into place, or remove them; then remove .commit',
      cause,
    });
  }
}

/** For a reader that does not hold the lock: where contents stand now. */
export interface EffectiveFiles {
  /** Where the content of `path` is: the first of these that exists. */
  of(path: string): readonly string[];
  /** `present` are the paths found in the folder; those that are decided upon count, in place or not. */
  list(present: readonly string[]): readonly string[];
}

export function effectiveFiles(folder: string): EffectiveFiles {
  const { put, remove } = committedChanges(folder) ?? { put: [], remove: [] };
  return {
    list: (present) => [...new Set([...present, ...put])].filter((path) => !remove.includes(path)),
    of(path) {
      const file = join(folder, path);
      if (remove.includes(path)) return [];
      return put.includes(path) ? [file + stagedSuffix, file] : [file];
    },
  };
}

async function stageFile(folder: string, { path, content, mode }: StoreFile): Promise<void> {
  const file = join(folder, path);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const descriptor = openSync(file + stagedSuffix, 'w', mode);
    try {
      fchmodSync(descriptor, mode);
      // Goes on after a short write, so that a full disk shows as the error it is.
      writeFileSync(descriptor, Buffer.from(content));
      await sync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileFailure(`cannot write ${file}`, step, error);
  }
}

/** So that what was created or renamed in them is still so after a power cut. */
export async function syncFolders(folders: Iterable<string>): Promise<void> {
  await Promise.all(
    [...folders].map(async (path) => {
      const descriptor = openFolder(path);
      try {
        await sync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }),
  );
}

function openFolder(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw fileFailure(`cannot read ${path}`, step, error);
  }
}

function sync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
