import { open } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import type { RunOptions } from './host.ts';

/** Large enough that the cost per write does not matter, small enough to be little memory. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Sends a command's standard input and ends it, no faster than the other side takes it. Gives up quietly once `closed`
 * settles: a command may end without having read everything, and its result tells why. Rejects when the source fails.
 */
export async function sendStdin(
  channel: Writable,
  stdin: RunOptions['stdin'],
  closed: Promise<unknown>,
  onProgress: RunOptions['onProgress'],
): Promise<void> {
  let isClosed = false;
  const whenClosed = closed.then(() => {
    isClosed = true;
    if (stdin instanceof Readable) stdin.destroy();
  });
  let sent = 0;
  try {
    for await (const chunk of chunksOf(stdin)) {
      if (isClosed) return;
      await Promise.race([write(channel, chunk), whenClosed]);
      sent += chunk.length;
      onProgress?.(sent);
    }
  } catch (error) {
    if (!isClosed) throw error;
  }
  if (!isClosed) channel.end();
}

/**
 * A file's content in chunks, the next read while one is being sent. The chunks share two buffers: each is good until
 * the one after it is asked for, so that a file of any size leaves no garbage behind.
 */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
    let turn = 0;
    const read = () => {
      const pending = file.read(buffers[turn++ % 2] as Buffer, 0, CHUNK_BYTES, null);
      // Looked at below; by then it may have failed already.
      pending.catch(() => {});
      return pending;
    };
    let next = read();
    for (;;) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      next = read();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* chunksOf(stdin: RunOptions['stdin']): AsyncGenerator<Uint8Array> {
  if (stdin === undefined) return;
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) {
    const bytes = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    return;
  }
  for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** Settles when the channel has taken the chunk and no longer needs it. Whether that went well, the result tells. */
function write(channel: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => channel.write(chunk, () => resolve()));
}
