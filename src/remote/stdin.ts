import { Readable, type Writable } from 'node:stream';
import type { RunOptions } from './host.ts';

/** Large enough that the cost per write does not matter, small enough to be little memory. */
export const CHUNK_BYTES = 256 * 1024;

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
      if (!channel.write(chunk)) await Promise.race([drained(channel), whenClosed]);
      sent += chunk.length;
      onProgress?.(sent);
    }
  } catch (error) {
    if (!isClosed) throw error;
  }
  if (!isClosed) channel.end();
}

async function* chunksOf(stdin: RunOptions['stdin']): AsyncGenerator<Uint8Array> {
  if (stdin === undefined) return;
  if (stdin instanceof Readable) {
    for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    return;
  }
  const bytes = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

function drained(channel: Writable): Promise<void> {
  return new Promise((resolve) => channel.once('drain', resolve));
}
