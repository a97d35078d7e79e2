import { openApi } from '../../src/health/api-client.ts';
import type { ApiCredentials, ApiTarget } from '../../src/health/api-target.ts';

/** Looks at /readyz of several apiservers all the time, as a balancer before them does. */
export class ReadyzWatch {
  /** How often all were asked. */
  rounds = 0;
  /** Rounds in which none said that it is ready: what each said instead. */
  readonly allDown: string[] = [];
  /** Names in the order in which they were first seen to be not ready. */
  readonly wentDown: string[] = [];
  readonly #targets: readonly ApiTarget[];
  readonly #credentials: ApiCredentials;
  #running: Promise<void> | undefined;
  #stop = false;

  constructor(targets: readonly ApiTarget[], credentials: ApiCredentials) {
    this.#targets = targets;
    this.#credentials = credentials;
  }

  start(): void {
    this.#stop = false;
    this.#running = this.#watch();
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
  }

  async #watch(): Promise<void> {
    const clients = this.#targets.map((target) => openApi(target, this.#credentials, 3000));
    try {
      while (!this.#stop) {
        const said = await Promise.all(
          clients.map(async (client) => {
            const answer = await client.get('/readyz').catch((error: Error) => error.message);
            const isReady = typeof answer !== 'string' && answer.status === 200;
            const words = typeof answer === 'string' ? answer : `${answer.status}`;
            return { name: client.target.name, isReady, words };
          }),
        );
        this.rounds++;
        for (const { name, isReady } of said) {
          if (!isReady && !this.wentDown.includes(name)) this.wentDown.push(name);
        }
        if (said.every(({ isReady }) => !isReady)) {
          this.allDown.push(said.map(({ name, words }) => `${name}: ${words}`).join('; '));
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      for (const client of clients) client.close();
    }
  }
}
