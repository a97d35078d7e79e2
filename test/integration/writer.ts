import { openMember } from '../../src/health/etcd-client.ts';
import type { EtcdCredentials, EtcdTarget } from '../../src/health/target.ts';

/** Writes all the time, as an application would that retries: each key until some member has acknowledged it. */
export class Writer {
  readonly acknowledged = new Map<string, string>();
  /** Longest time, in milliseconds, that one write needed until it was acknowledged. */
  longest = 0;
  readonly #targets: readonly EtcdTarget[];
  readonly #credentials: EtcdCredentials;
  #running: Promise<void> | undefined;
  #stop = false;

  constructor(targets: readonly EtcdTarget[], credentials: EtcdCredentials) {
    this.#targets = targets;
    this.#credentials = credentials;
  }

  start(): void {
    this.#stop = false;
    this.#running = this.#write();
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
  }

  /** Acknowledged keys that `target` does not have, or has with another value. */
  async lost(target: EtcdTarget): Promise<string[]> {
    const client = await openMember(target, this.#credentials, 10_000);
    try {
      const lost: string[] = [];
      for (const [key, value] of this.acknowledged) {
        if ((await client.get(key, 'linearizable')) !== value) lost.push(key);
      }
      return lost;
    } finally {
      await client.close();
    }
  }

  async #write(): Promise<void> {
    const clients = await Promise.all(
      this.#targets.map((target) => openMember(target, this.#credentials, 2000)),
    );
    for (let number = this.acknowledged.size; !this.#stop; number++) {
      const [key, value] = [`/writer/${number}`, `value ${number}`];
      const began = performance.now();
      for (let attempt = number; ; attempt++) {
        const client = clients[attempt % clients.length];
        const done = await client?.put(key, value).then(
          () => true,
          () => false,
        );
        if (done) break;
        if (performance.now() - began > 60_000) throw new Error(`no member took ${key} for 60 s`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      this.acknowledged.set(key, value);
      this.longest = Math.max(this.longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(clients.map((client) => client.close()));
  }
}
