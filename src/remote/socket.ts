import { spawn } from 'node:child_process';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { cannotConnect } from './login-errors.ts';
import type { Target } from './target.ts';

/**
 * A TCP connection to the target. ssh2's own sockets leave Nagle's algorithm on, which makes every exchange wait for
 * the other side's delayed acknowledgement. @throws KbinError
 */
export function tcpSocket(target: Target): { socket: net.Socket; connected: Promise<void> } {
  const socket = gather(net.connect({ host: target.host, port: target.port, noDelay: true }));
  const connected = new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(cannotConnect(target, error, 'connect'));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve();
    });
  });
  return { socket, connected };
}

/** The standard input and output of ~/.ssh/config's ProxyCommand, as one stream. */
export function proxySocket(target: Target, command: string): Duplex {
  const child = spawn('sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin } as never);
  child.once('error', (error) => socket.destroy(cannotConnect(target, error, 'run the ProxyCommand')));
  socket.once('close', () => child.kill());
  return socket;
}

/** ssh2 writes each packet in three parts; without Nagle's algorithm each would be a segment of its own. */
function gather(socket: net.Socket): net.Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    return write(...args);
  };
  return socket;
}
