import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, ApiError, openApi } from '../../src/health/api-client.ts';
import type { ApiCredentials, ApiTarget } from '../../src/health/api-target.ts';
import { type Door, Retrying } from './writer.ts';

const path = '/api/v1/namespaces/default/secrets';

/** Makes Secrets, through whichever apiserver answers. */
export class SecretWriter extends Retrying {
  readonly #targets: readonly ApiTarget[];
  readonly #credentials: ApiCredentials;

  constructor(targets: readonly ApiTarget[], credentials: ApiCredentials) {
    super();
    this.#targets = targets;
    this.#credentials = credentials;
  }

  protected async open(): Promise<readonly Door[]> {
    return this.#targets.map((target) => {
      const client = openApi(target, this.#credentials, 10_000);
      return {
        name: target.name,
        put: async (number) => {
          const body = { metadata: { name: nameOf(number) }, stringData: { number: String(number) } };
          const { status, text } = await client.request({ method: 'POST', path, body });
          // An answer that was lost on its way was an acknowledged write all the same.
          if (status !== 201 && status !== 409) throw new Error(`${status} ${text.slice(0, 300)}`);
          // At a pace at which the reader keeps up.
          await sleep(50);
        },
        close: () => client.close(),
      };
    });
  }
}

/** Reads every Secret that there is through every apiserver, all the time. */
export class SecretReader {
  /** How often all of them were read through one apiserver. */
  rounds = 0;
  /** What an apiserver answered that could not read one. One that is being restarted does not answer. */
  readonly unreadable: string[] = [];
  /** Secrets that were there once and were not there, or other ones, later. */
  readonly lost: string[] = [];
  readonly #clients: readonly ApiClient[];
  #running: Promise<unknown> = Promise.resolve();
  #stop = false;

  constructor(targets: readonly ApiTarget[], credentials: ApiCredentials) {
    this.#clients = targets.map((target) => openApi(target, credentials, 10_000));
  }

  start(): void {
    this.#running = Promise.all(this.#clients.map((client) => this.#read(client)));
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
    for (const client of this.#clients) client.close();
  }

  async #read(client: ApiClient): Promise<void> {
    let seen = 0;
    while (!this.#stop) {
      await sleep(100);
      // A restarting apiserver refuses connections, and says 503 or 403 while it comes up: neither is about a Secret.
      const answer = await client.get(path).catch((error: unknown) => {
        if (error instanceof ApiError) return undefined;
        throw error;
      });
      if (answer === undefined || [403, 429, 503].includes(answer.status)) continue;
      if (answer.status !== 200) {
        this.unreadable.push(`${client.target.name}: ${answer.status} ${answer.text.slice(0, 300)}`);
        continue;
      }
      const { items } = JSON.parse(answer.text) as Secrets;
      const own = items.filter(({ metadata }) => metadata.name.startsWith('rotation-'));
      const wrong = own.filter(
        ({ metadata, data }) =>
          metadata.name !== nameOf(Number(Buffer.from(data?.number ?? '', 'base64').toString())),
      );
      this.lost.push(...wrong.map(({ metadata }) => `${client.target.name}: ${metadata.name}`));
      if (own.length < seen) this.lost.push(`${client.target.name}: ${own.length} of ${seen}`);
      seen = own.length;
      this.rounds++;
    }
  }
}

const nameOf = (number: number) => `rotation-${number}`;

interface Secrets {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly data?: { readonly number?: string };
  }[];
}
