import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filled } from './cache-folder.ts';

/** A file changed this recently (ms) may change again without its time stamps telling: the kernel's clock ticks coarsely. */
const settledAfter = 2000;

/**
 * What `ask` says of a file on this machine, remembered for as long as the file is the same by device, inode, size,
 * mtime and ctime (ctime cannot be set back by a program). `question` names what was asked. Files on hosts are never
 * trusted this way.
 */
export async function remembered(
  cache: string,
  path: string,
  question: string,
  ask: (path: string) => Promise<string>,
): Promise<string> {
  const before = await identity(path);
  const memory = join(cache, 'remembered', digestOf(`${question}\n${before.text}`));
  const known = await readFile(memory, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const answer = await ask(path);
  const after = await identity(path);
  if (after.text === before.text && Date.now() - after.changed > settledAfter) {
    await filled(memory, (temporary) => writeFile(temporary, answer)).catch(() => {});
  }
  return answer;
}

/** Hex digest of a file's content, streamed. */
export async function fileDigest(path: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

async function identity(path: string): Promise<{ text: string; changed: number }> {
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
  return { text: [dev, ino, size, mtimeNs, ctimeNs].join(' '), changed: Number(ctimeMs) };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
