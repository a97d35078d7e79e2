import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

export interface KeyPair {
  /** Path of the private key; the public one is beside it. */
  readonly file: string;
  /** `type base64`, as authorized_keys and known_hosts have it. */
  readonly line: string;
  readonly blob: Buffer;
}

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

/** A key pair made by the real ssh-keygen. */
export function keyPair(
  type: KeyType = 'ed25519',
  options: { passphrase?: string; format?: 'PEM' | 'PKCS8' } = {},
): KeyPair {
  const file = join(temporaryFolder(), `id_${type}`);
  const format = options.format ? ['-m', options.format] : [];
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...format,
    '-N',
    options.passphrase ?? '',
    '-C',
    'test',
    '-f',
    file,
  ]);
  const [name = '', encoded = ''] = readFileSync(`${file}.pub`, 'utf8').split(' ');
  return { file, line: `${name} ${encoded}`, blob: Buffer.from(encoded, 'base64') };
}

export interface ServerOptions {
  readonly hostKeys?: readonly KeyPair[];
  /** Public keys that may log in, as any user. */
  readonly authorised?: readonly KeyPair[];
  /** Sessions per connection, as sshd's MaxSessions. */
  readonly maxSessions?: number;
  /** Environment of the commands. */
  readonly env?: Record<string, string>;
  /** Wants something besides the key. */
  readonly secondFactor?: boolean;
  readonly allowForwarding?: boolean;
}

/** A real SSH server on 127.0.0.1, in this process: runs commands in the local sh and forwards streams. */
export class SshServer {
  readonly hostKeys: readonly KeyPair[];
  readonly commands: string[] = [];
  /** Users of every attempt to log in that offered a key, with the key. */
  readonly offers: { user: string; blob: Buffer }[] = [];
  port = 0;
  connections = 0;
  mostSessions = 0;
  readonly #options: ServerOptions;
  readonly #server: ssh2.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #net: net.Server;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.hostKeys = options.hostKeys ?? [keyPair('ed25519')];
    const hostKeys = this.hostKeys.map(({ file }) => readFileSync(file));
    this.#server = new ssh2.Server({ hostKeys }, (client) => this.#serve(client));
    this.#net = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      this.connections++;
      this.#server.injectSocket(socket);
    });
  }

  static async start(options: ServerOptions = {}): Promise<SshServer> {
    const server = new SshServer(options);
    await new Promise<void>((resolve) => server.#net.listen(0, '127.0.0.1', resolve));
    server.port = (server.#net.address() as net.AddressInfo).port;
    onTestFinished(() => server.stop());
    return server;
  }

  /** Lines of known_hosts under which this server is known. */
  get knownHosts(): string {
    return this.hostKeys.map(({ line }) => `[127.0.0.1]:${this.port} ${line}\n`).join('');
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Stops reading and answering, with the connections left open. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('data');
      socket.pause();
    }
  }

  stop(): void {
    this.cut();
    this.#net.close();
  }

  #serve(client: ssh2.Connection): void {
    client.on('error', () => {});
    let factors: ssh2.AuthenticationType[] = ['publickey'];
    client.on('authentication', (attempt) => {
      if (attempt.method !== 'publickey') return attempt.reject(factors);
      this.offers.push({ user: attempt.username, blob: attempt.key.data });
      const known = this.#options.authorised?.some(({ blob }) => blob.equals(attempt.key.data));
      if (!known || !signed(attempt)) return attempt.reject(['publickey']);
      if (!this.#options.secondFactor || !attempt.signature) return attempt.accept();
      factors = ['keyboard-interactive'];
      attempt.reject(factors, true);
    });
    let sessions = 0;
    client.on('session', (accept, reject) => {
      if (sessions >= (this.#options.maxSessions ?? 10)) return reject();
      this.mostSessions = Math.max(this.mostSessions, ++sessions);
      accept().on('exec', (acceptExec, _, { command }) => {
        this.commands.push(command);
        const channel = acceptExec();
        const child = spawn('bash', ['--norc', '-c', command], {
          env: { PATH: process.env.PATH, ...this.#options.env },
        });
        channel.once('close', () => sessions--);
        connectChild(channel, child);
      });
    });
    client.on('tcpip', (accept, reject, { destIP, destPort }) => {
      if (this.#options.allowForwarding === false) return reject();
      const socket = net.connect({ host: destIP, port: destPort, noDelay: true });
      socket.once('error', () => reject());
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        socket.on('error', () => {});
        const channel = accept();
        channel.on('error', () => {});
        channel.pipe(socket).pipe(channel);
        channel.on('close', () => socket.destroy());
      });
    });
  }
}

function signed(attempt: ssh2.PublicKeyAuthContext): boolean {
  if (!attempt.signature || !attempt.blob) return true;
  const key = ssh2.utils.parseKey(attempt.key.data);
  return !(key instanceof Error) && key.verify(attempt.blob, attempt.signature, attempt.hashAlgo) === true;
}

function connectChild(channel: ssh2.ServerChannel, child: ChildProcess): void {
  child.stdin?.on('error', () => {});
  channel.on('error', () => {});
  channel.pipe(child.stdin as NonNullable<typeof child.stdin>);
  child.stdout?.pipe(channel, { end: false });
  child.stderr?.pipe(channel.stderr, { end: false });
  // As sshd: a connection that is gone closes the command's input.
  channel.on('close', () => child.stdin?.destroy());
  child.on('close', (code, signal) => {
    // Code 99 stands for a server that closes without telling how the command ended.
    if (signal) channel.exit(signal.replace('SIG', '') as never);
    else if (code !== 99) channel.exit(code ?? 0);
    channel.end();
    channel.close();
    // Input that nobody reads any more must not keep the channel from closing.
    channel.unpipe();
    channel.resume();
  });
}
