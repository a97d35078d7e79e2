import { type ApiClient, openApi } from '../../src/health/api-client.ts';
import type { ApiCredentials, ApiTarget } from '../../src/health/api-target.ts';
import { type Door, Retrying } from './writer.ts';

/** The namespace of what is written here. It is there in every cluster. */
const path = '/api/v1/namespaces/default/configmaps';
const label = 'kbin-test=written';

/** Makes ConfigMaps, through whichever apiserver answers. */
export class ApiWriter extends Retrying {
  readonly #targets: readonly ApiTarget[];
  readonly #credentials: ApiCredentials;
  /** Several writers of one cluster do not get in each other's way. */
  readonly #name: string;

  constructor(targets: readonly ApiTarget[], credentials: ApiCredentials, name: string) {
    super();
    this.#targets = targets;
    this.#credentials = credentials;
    this.#name = name;
  }

  /** Acknowledged ConfigMaps that `target` does not show, or shows with another value. */
  async lost(target: ApiTarget): Promise<string[]> {
    const client = openApi(target, this.#credentials, 30_000);
    try {
      const found = await this.#list(client);
      return Array.from({ length: this.written }, (_, number) => number)
        .filter((number) => found.get(this.#nameOf(number)) !== String(number))
        .map((number) => this.#nameOf(number));
    } finally {
      client.close();
    }
  }

  protected async open(): Promise<readonly Door[]> {
    return this.#targets.map((target) => {
      const client = openApi(target, this.#credentials, 10_000);
      return {
        name: target.name,
        put: (number) => this.#put(client, number),
        close: () => client.close(),
      };
    });
  }

  async #put(client: ApiClient, number: number): Promise<void> {
    const name = this.#nameOf(number);
    const [key = '', value] = label.split('=');
    const body = { metadata: { name, labels: { [key]: value } }, data: { number: String(number) } };
    const { status, text } = await client.request({ method: 'POST', path, body });
    // An answer that was lost on its way was an acknowledged write all the same.
    if (status !== 201 && status !== 409) throw new Error(`${status} ${text.slice(0, 300)}`);
  }

  /** Read from a quorum of etcd, page by page. */
  async #list(client: ApiClient): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    let next: string | undefined;
    do {
      const query = `labelSelector=${encodeURIComponent(label)}&limit=2000${next === undefined ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const page = await client.getJson<ConfigMaps>(`${path}?${query}`);
      for (const { metadata, data } of page.items) found.set(metadata.name, data.number);
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    return found;
  }

  #nameOf(number: number): string {
    return `${this.#name}-${number}`;
  }
}

interface ConfigMaps {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly data: { readonly number: string };
  }[];
}
