import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';
import { errorCode, fileFailure } from './file-failure.ts';

/**
 * The store's lock. Node has no flock(2), and a lock file that its owner leaves behind when it is killed has to be
 * taken over by guesswork. SQLite locks its database file through the kernel (fcntl), so an exclusive transaction on an
 * empty database is a lock that ends with its process, however that ends. Nothing is ever stored in it.
 */
export const lockFile = '.lock';
/** Who holds it, for the message of whoever waits; means nothing while the lock is free. */
const holderFile = '.lock-holder';

export interface LockOptions {
  /** What to call the holder: `kbin pki init`. */
  readonly command: string;
  /** Milliseconds to wait for another process to finish. */
  readonly patience: number;
  /** Called once when there is something to wait for, with who holds it. */
  readonly onWait?: (holder: string) => void;
}

/** Waits for the lock of an existing folder, and returns what releases it. Throws KbinError when patience ends. */
export async function lock(folder: string, options: LockOptions): Promise<() => void> {
  refuseUnwritable(folder);
  const deadline = Date.now() + options.patience;
  let told = false;
  for (;;) {
    const database = tryLock(folder);
    if (database !== undefined) return hold(folder, database, options.command);
    const holder = holderText(folder);
    if (!told) options.onWait?.(holder);
    told = true;
    if (Date.now() >= deadline) {
      throw new KbinError(`${folder} is in use by ${holder}`, {
        step: 'certificate store lock',
        why: `it did not become free within ${Math.round(options.patience / 1000)} s`,
        next: 'wait for that process to end, or end it; the lock ends with it',
      });
    }
    await sleep(50);
  }
}

/**
 * SQLite says of every reason that it is "unable to open database file", and opens what cannot be written for reading.
 * Nothing is opened here: closing a file would end the locks that this process has on it.
 */
function refuseUnwritable(folder: string): void {
  const file = join(folder, lockFile);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw failure(file, error);
  }
}

const failure = (file: string, error: unknown): KbinError =>
  fileFailure(`cannot lock ${file}`, 'certificate store lock', error);

const sqliteBusy = 5;

function tryLock(folder: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, lockFile), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    const busy =
      errorCode(error) === 'ERR_SQLITE_ERROR' && (error as { errcode?: number }).errcode === sqliteBusy;
    if (busy) return undefined;
    throw failure(join(folder, lockFile), error);
  }
}

/** What is collected is closed, and a closed database locks nothing: these are held on to, whatever work forgets them. */
const held = new Set<DatabaseSync>();

function hold(folder: string, database: DatabaseSync, command: string): () => void {
  const file = join(folder, holderFile);
  const since = new Date().toISOString();
  try {
    writeFileSync(
      file,
      `${command} (process ${process.pid} of ${userName()} on ${hostname()}, since ${since})\n`,
    );
  } catch (error) {
    database.close();
    throw failure(file, error);
  }
  held.add(database);
  return () => {
    rmSync(file, { force: true });
    held.delete(database);
    database.close();
  };
}

function holderText(folder: string): string {
  try {
    return readFileSync(join(folder, holderFile), 'utf8').trim() || 'another kbin';
  } catch {
    return 'another kbin';
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? '?'}`;
  }
}
