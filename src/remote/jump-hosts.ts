import { type Connection, type ConnectionContext, openConnection } from './connection.ts';
import type { Target } from './target.ts';

interface Shared {
  readonly connection: Promise<Connection>;
  users: number;
}

/**
 * Connections to jump hosts, one for all the hosts behind it: forwarded streams do not count against its sshd's
 * MaxSessions, while a login for each host would soon meet its MaxStartups.
 */
export class JumpHosts {
  readonly #context: ConnectionContext;
  readonly #shared = new Map<string, Shared>();

  constructor(context: ConnectionContext) {
    this.#context = context;
  }

  /** Connects to a target through its jump hosts; `release` when its connection has ended. */
  async connect(target: Target): Promise<{ connection: Connection; release: () => Promise<void> }> {
    if (target.jumps.length === 0) {
      return { connection: await openConnection(target, this.#context), release: async () => {} };
    }
    const { via, release } = await this.#through(target.jumps);
    try {
      return { connection: await openConnection(target, this.#context, via), release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #through(jumps: readonly Target[]): Promise<{ via: Connection; release: () => Promise<void> }> {
    const key = jumps.map(({ user, host, port }) => `${user}@${host}:${port}`).join(',');
    const shared = this.#share(key, jumps);
    shared.users++;
    const release = async () => {
      if (--shared.users > 0) return;
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
      await (await shared.connection.catch(() => undefined))?.close();
    };
    try {
      return { via: await shared.connection, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** A connection whose link is lost is no longer shared with newcomers. */
  #share(key: string, jumps: readonly Target[]): Shared {
    const known = this.#shared.get(key);
    if (known) return known;
    const shared: Shared = { connection: this.#open(jumps), users: 0 };
    this.#shared.set(key, shared);
    shared.connection.then(
      (connection) =>
        connection.ended.then(() => {
          if (this.#shared.get(key) === shared) this.#shared.delete(key);
        }),
      () => {},
    );
    return shared;
  }

  async #open(jumps: readonly Target[]): Promise<Connection> {
    const last = jumps.at(-1) as Target;
    const before = jumps.slice(0, -1);
    if (before.length === 0) return openConnection(last, this.#context);
    const { via, release } = await this.#through(before);
    try {
      const connection = await openConnection(last, this.#context, via);
      connection.ended.then(release);
      return connection;
    } catch (error) {
      await release();
      throw error;
    }
  }
}
