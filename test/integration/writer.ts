import { openMember } from '../../src/health/etcd-client.ts';
import type { EtcdCredentials, EtcdTarget } from '../../src/health/target.ts';

/** Somewhere to write to; rejects where it was not taken. */
export interface Door {
  /** The host behind it. */
  readonly name: string;
  put(number: number): Promise<void>;
  close(): Promise<void> | void;
}

/** Writes all the time, as an application would that retries: each number until one of the doors has acknowledged it. */
export abstract class Retrying {
  /** How many were acknowledged: 0, 1, … */
  written = 0;
  /** Longest time, in milliseconds, that one write needed until it was acknowledged. */
  longest = 0;
  /** Each write that some door did not take: `HOST: why`. */
  readonly refusals: string[] = [];
  /** Writes that no door took in a whole round of them: with others to turn to, there must not be any. */
  readonly outages: string[] = [];
  #running: Promise<void> | undefined;
  #stop = false;

  protected abstract open(): Promise<readonly Door[]>;

  start(): void {
    this.#stop = false;
    this.#running = this.#write();
    // Thrown by stop(); until then it is nobody's crash.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
  }

  async #write(): Promise<void> {
    const doors = await this.open();
    try {
      while (!this.#stop) {
        await this.#put(this.written, doors);
        this.written++;
        await pause(5);
      }
    } finally {
      await Promise.all(doors.map((door) => door.close()));
    }
  }

  async #put(number: number, doors: readonly Door[]): Promise<void> {
    const began = performance.now();
    const round: string[] = [];
    for (let attempt = number; ; attempt++) {
      const door = doors[attempt % doors.length];
      if (door === undefined) throw new Error('nowhere to write to');
      const refusal = await door.put(number).then(
        () => undefined,
        (error) => `${door.name}: ${error instanceof Error ? error.message : error}`,
      );
      if (refusal === undefined) break;
      this.refusals.push(refusal);
      round.push(refusal);
      if (round.length === doors.length) this.outages.push(`${number}: ${round.splice(0).join('; ')}`);
      if (performance.now() - began > 60_000) throw new Error(`no door took ${number} for 60 s: ${refusal}`);
      await pause(20);
    }
    this.longest = Math.max(this.longest, performance.now() - began);
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Writes keys into etcd, through whichever member answers. */
export class Writer extends Retrying {
  readonly #targets: readonly EtcdTarget[];
  readonly #credentials: EtcdCredentials;

  constructor(targets: readonly EtcdTarget[], credentials: EtcdCredentials) {
    super();
    this.#targets = targets;
    this.#credentials = credentials;
  }

  /** Acknowledged keys that `target` does not have, or has with another value. */
  async lost(target: EtcdTarget): Promise<string[]> {
    const client = await openMember(target, this.#credentials, 10_000);
    try {
      const lost: string[] = [];
      for (let number = 0; number < this.written; number++) {
        const { key, value } = entry(number);
        if ((await client.get(key, 'linearizable')) !== value) lost.push(key);
      }
      return lost;
    } finally {
      await client.close();
    }
  }

  protected open(): Promise<readonly Door[]> {
    return Promise.all(
      this.#targets.map(async (target) => {
        const client = await openMember(target, this.#credentials, 2000);
        return {
          name: target.name,
          put: (number: number) => {
            const { key, value } = entry(number);
            return client.put(key, value);
          },
          close: () => client.close(),
        };
      }),
    );
  }
}

const entry = (number: number) => ({ key: `/writer/${number}`, value: `value ${number}` });
