import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { KbinError } from '../errors.ts';

/** Where binaries are kept: `$XDG_CACHE_HOME/kbin/binaries`, else below ~/.cache. Safe to delete at any time. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kbin', 'binaries');
}

/**
 * Lets `fill` write a file or folder under another name and gives it its own in one rename, so that two runs at once, or
 * one that is cut off, never leave half of it.
 */
export async function filled(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await removeAbandoned(path);
    await fill(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another run was faster; what it made has the same name and so the same content.
    if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST')) return;
    throw cacheFailure(path, error);
  }
}

/** What a run that was killed an hour ago or longer began and never finished. */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const begun = (await readdir(folder)).filter(
    (name) => name.startsWith(basename(path)) && name.endsWith('.tmp'),
  );
  for (const name of begun) {
    const age = Date.now() - ((await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > 3_600_000) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Writes and fsyncs a stream of bytes into a new file. */
export async function writeAll(path: string, bytes: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
};

function cacheFailure(path: string, error: unknown): unknown {
  const why = error instanceof Error && 'code' in error ? reasons[String(error.code)] : undefined;
  if (why === undefined) return error;
  return new KbinError(`Cannot write ${path}`, {
    step: 'keep binaries in the cache',
    why,
    next: 'Make room there, or name another place with XDG_CACHE_HOME.',
    cause: error,
  });
}
