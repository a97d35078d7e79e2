import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type ssh2 from 'ssh2';
import { KbinError } from '../errors.ts';
import { Deadline } from './deadline.ts';
import type { KeyRing } from './key-ring.ts';
import { login } from './login.ts';
import { cannotConnect, connectTimedOut, place } from './login-errors.ts';
import { Sessions } from './sessions.ts';
import { proxySocket, tcpSocket } from './socket.ts';
import type { Target } from './target.ts';

/** Below sshd's MaxSessions of 10, so that a person can still share the limit of a multiplexed login. */
const SESSION_LIMIT = 8;
/** sshd may count a session for a moment longer than the one who closed it. */
const REFUSED_RETRY_MS = [20, 100, 500, 1500];
const CLOSE_TIMEOUT_MS = 1500;

export interface ConnectionContext {
  readonly ring: KeyRing;
  readonly warn: (text: string) => void;
}

/** One login on one SSH server. Knows when its link is lost; every command over it ends then, with that error. */
export class Connection {
  readonly target: Target;
  readonly #client: ssh2.Client;
  readonly #sessions = new Sessions(SESSION_LIMIT);
  #closing = false;
  #lost: KbinError | undefined;
  /** Settles when the connection has ended, however that came about. */
  readonly ended: Promise<void>;

  constructor(target: Target, client: ssh2.Client) {
    this.target = target;
    this.#client = client;
    this.ended = new Promise((resolve) => client.once('close', () => resolve()));
    client.on('error', (error: Error & { level?: string }) => {
      this.#lost ??= this.#linkLost(
        error.level === 'client-timeout'
          ? `the host answered none of three keep-alive probes, ${target.keepAlive} s apart`
          : error.message,
      );
    });
    client.once('close', () => {
      this.#lost ??= this.#linkLost('the server closed the connection');
    });
  }

  /** Why nothing can be done over this connection any more; undefined while it is up. */
  get lost(): KbinError | undefined {
    return this.#lost;
  }

  #linkLost(why: string): KbinError {
    const { name } = this.target;
    if (this.#closing) return new KbinError(`the connection to ${name} is closed`, { host: name });
    return new KbinError(`the connection to ${name} (${place(this.target)}) was lost`, {
      host: name,
      why,
      next: 'see that the host and the network are well, and run the same command again: it carries on from there',
    });
  }

  /**
   * Starts a command for the login shell. The channel counts against the server's session limit until it closes.
   * `attach` is called at once with the channel: a short command's end may lie in the same packet as its beginning, and
   * who listens only after a promise has settled would miss it. `stays`: it has no end of its own.
   * @throws KbinError when the link is lost or the server opens no session.
   */
  async exec<T>(command: string, attach: (channel: ssh2.ClientChannel) => T, stays: boolean): Promise<T> {
    for (let refusals = 0; ; ) {
      await this.#sessions.acquire(stays);
      try {
        if (this.#lost) throw this.#lost;
        return await this.#open(command, (channel) => {
          channel.once('close', () => this.#sessions.release(stays));
          return attach(channel);
        });
      } catch (error) {
        this.#sessions.release(stays);
        if (!isRefusedChannel(error) || this.#lost) throw this.#lost ?? this.#noSession(error);
        if (this.#sessions.allStay) {
          const pause = REFUSED_RETRY_MS[refusals++];
          if (pause === undefined) throw this.#noSession(error);
          await sleep(pause);
        } else {
          this.#sessions.learnLimit();
        }
      }
    }
  }

  #open<T>(command: string, attach: (channel: ssh2.ClientChannel) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#client.exec(command, (error, channel) => {
        if (error) reject(error);
        else resolve(attach(channel));
      });
    });
  }

  #noSession(error: unknown): KbinError {
    if (error instanceof KbinError) return error;
    const { message } = error as Error;
    if (/not connected|no response/i.test(message)) return this.#linkLost(message);
    const { name, user } = this.target;
    return new KbinError(`${name} runs no commands for ${user}`, {
      host: name,
      why: message,
      next: "look at sshd's MaxSessions, ForceCommand and the user's login shell on the host",
      cause: error,
    });
  }

  /** A TCP stream to address:port as the server sees it. @throws KbinError */
  forward(address: string, port: number): Promise<Duplex> {
    if (this.#lost) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
        if (error) reject(this.#lost ?? cannotForward(this.target, address, port, error));
        // Without a listener an error on the stream would end the process.
        else resolve(channel.on('error', () => {}));
      });
    });
  }

  /**
   * Ends the connection, and with it everything that runs over it. Never rejects, and does not wait for a server, or a
   * jump host on the way to it, that does not answer any more.
   */
  async close(): Promise<void> {
    this.#closing = true;
    this.#client.end();
    if (await settlesWithin(CLOSE_TIMEOUT_MS, this.ended)) return;
    this.#client.destroy();
    await settlesWithin(CLOSE_TIMEOUT_MS, this.ended);
  }
}

async function settlesWithin(ms: number, work: Promise<void>): Promise<boolean> {
  const given = new AbortController();
  const late = sleep(ms, false, { signal: given.signal }).catch(() => false);
  const settled = await Promise.race([work.then(() => true), late]);
  given.abort();
  return settled;
}

/**
 * Connects and logs in; TCP, handshake and login share the target's connectTimeout. `via` is the connection to its last
 * jump host. @throws KbinError
 */
export async function openConnection(
  target: Target,
  context: ConnectionContext,
  via?: Connection,
): Promise<Connection> {
  let step = 'connect';
  let socket: Duplex | undefined;
  let deadline: Deadline | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = new Deadline(target.connectTimeout, () => {
      reject(connectTimedOut(target, step, target.connectTimeout));
      socket?.destroy();
    });
  });
  const work = async () => {
    if (via) socket = await via.forward(target.host, target.port);
    else if (target.proxyCommand) socket = proxySocket(target, target.proxyCommand);
    else {
      const tcp = tcpSocket(target);
      socket = tcp.socket;
      await tcp.connected;
    }
    const client = await login(socket, target, {
      ...context,
      deadline: deadline as Deadline,
      step: (text) => {
        step = text;
      },
    });
    return new Connection(target, client);
  };
  const attempt = work();
  try {
    return await Promise.race([attempt, late]);
  } catch (error) {
    socket?.destroy();
    // When the deadline came first, the attempt may still come to something, which nobody wants any more.
    attempt.then(
      (connection) => connection.close(),
      () => socket?.destroy(),
    );
    throw cannotConnect(target, error, step);
  } finally {
    deadline?.clear();
  }
}

/** The server opened no channel, as opposed to a link that broke meanwhile. */
function isRefusedChannel(error: unknown): boolean {
  return error instanceof Error && 'reason' in error;
}

function cannotForward(
  target: Target,
  address: string,
  port: number,
  error: Error & { reason?: unknown },
): KbinError {
  const text = error.message.replace('(SSH) Channel open failure: ', '');
  const forbidden = /prohibited/i.test(text) || error.reason === 1;
  return new KbinError(`${target.name} cannot connect to ${address}:${port}`, {
    host: target.name,
    step: 'connect through this host',
    why: forbidden ? 'its sshd allows no forwarding (AllowTcpForwarding, PermitOpen)' : text,
    next: forbidden
      ? 'allow it there, or connect without a jump host'
      : 'check the address, and that something listens there',
    cause: error,
  });
}
