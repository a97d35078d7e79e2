import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address, Dial } from './target.ts';

export interface Relay {
  /** Path of the Unix socket. */
  readonly path: string;
  /** What the last dial failed with; the client behind the socket only sees a closed connection. */
  lastFailure(): unknown;
  close(): Promise<void>;
}

/**
 * Hands bytes between a Unix socket and streams that `dial` opens, because grpc-js can only connect sockets of its own.
 * TLS goes through it end to end. The socket lies in a folder that only this user can enter: a loopback port would open
 * the members to everybody on the operator's machine.
 */
export async function openRelay(dial: Dial, to: Address, deadlineMs: number): Promise<Relay> {
  const folder = await mkdtemp(join(tmpdir(), 'kbin-'));
  await chmod(folder, 0o700);
  const path = join(folder, 'etcd');
  const open = new Set<{ destroy(): unknown }>();
  let failure: unknown;
  const server = createServer((socket: Socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    dial(to.host, to.port, deadlineMs).then(
      (stream) => {
        open.add(stream);
        stream.on('error', (error) => {
          failure = error;
          socket.destroy();
        });
        stream.once('close', () => socket.destroy());
        socket.once('close', () => stream.destroy());
        socket.pipe(stream);
        stream.pipe(socket);
      },
      (error: unknown) => {
        failure = error;
        socket.destroy();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    path,
    lastFailure: () => failure,
    close: async () => {
      for (const stream of open) stream.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
