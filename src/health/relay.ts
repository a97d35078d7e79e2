import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Address, Dial } from './target.ts';

export interface Relay {
  /** Path of the Unix socket. */
  readonly path: string;
  /** Why the last dial failed or its stream broke; the client behind the socket only sees a closed connection. */
  lastFailure(): unknown;
  /** Ends every connection, also those that hang. */
  close(): Promise<void>;
}

/**
 * Hands bytes between a Unix socket and streams that `dial` opens. grpc-js connects sockets of its own only, and keeps
 * one whose handshake hangs for ever, even after the client was closed: so every connection goes through here, where it
 * can be ended, straight ones as well as those through SSH. TLS passes through it end to end. The socket lies in a folder
 * that only this user can enter; a loopback port would open the members to everybody on the operator's machine.
 */
export async function openRelay(dial: Dial, to: Address, deadlineMs: number): Promise<Relay> {
  // mkdtemp makes it with mode 0700.
  const folder = await mkdtemp(join(tmpdir(), 'kbin-'));
  const path = join(folder, 'etcd');
  const open = new Set<Duplex>();
  let failure: unknown;
  let closed = false;
  const connect = (socket: Socket, stream: Duplex) => {
    if (closed || socket.destroyed) return stream.destroy();
    open.add(stream);
    failure = undefined;
    stream.on('error', (error) => {
      failure = error;
    });
    stream.once('close', () => socket.destroy());
    socket.once('close', () => stream.destroy());
    socket.pipe(stream).pipe(socket);
    return stream;
  };
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    dial(to.host, to.port, deadlineMs).then(
      (stream) => connect(socket, stream),
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
      closed = true;
      for (const stream of open) stream.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
