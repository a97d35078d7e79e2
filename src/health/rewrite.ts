import { type ApiClient, ApiError } from './api-client.ts';
import { pagesOf } from './api-pages.ts';

/** Where objects of a resource are: `/api/v1` and `secrets`. */
export interface ResourcePlace {
  readonly base: string;
  readonly plural: string;
}

interface Served {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

interface Group {
  readonly versions: readonly { readonly groupVersion: string }[];
}

/**
 * `secrets` is of the core group, `deployments.apps` of the group behind its first dot. undefined: the apiserver has no
 * such resource that could be listed and patched. Rejects with an ApiError.
 */
export async function placeOf(client: ApiClient, resource: string): Promise<ResourcePlace | undefined> {
  const [plural = '', ...rest] = resource.split('.');
  const bases = rest.length === 0 ? ['/api/v1'] : await basesOf(client, rest.join('.'));
  for (const base of bases) {
    const { resources } = await client.getJson<Served>(base);
    const found = resources.find(({ name }) => name === plural);
    if (found?.verbs.includes('list') && found.verbs.includes('patch')) return { base, plural };
  }
  return undefined;
}

async function basesOf(client: ApiClient, group: string): Promise<readonly string[]> {
  try {
    const { versions } = await client.getJson<Group>(`/apis/${group}`);
    return versions.map(({ groupVersion }) => `/apis/${groupVersion}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface Rewriting {
  /** Ready apiservers: the first does the work, another one where it is gone. */
  readonly clients: readonly ApiClient[];
  readonly resource: string;
  /** Keys of etcd (without the apiserver's prefix) whose values are to be written again: `secrets/NAMESPACE/NAME`. */
  readonly stored: readonly string[];
  readonly signal?: AbortSignal;
  /** How many have been written so far. */
  readonly onProgress?: (written: number) => void;
}

/** How many requests are under way at once, and how many objects one answer names. */
const atOnce = 4;
const page = 200;

/**
 * Has the apiserver write objects again as they are: by an empty patch, which it takes for a change where the stored value
 * was not made with the first key. Nobody else's change can be undone by it, and no content comes here. Returns how many
 * were written. Rejects with an ApiError, or when aborted.
 */
export async function rewriteStored(rewriting: Rewriting): Promise<number> {
  const { clients, resource, stored, signal, onProgress } = rewriting;
  const place = await throughAny(clients, (client) => placeOf(client, resource));
  if (place === undefined) return 0;
  const wanted = new Set(stored.flatMap(namesIn));
  let written = 0;
  await throughAny(clients, async (client) => {
    const path = `${place.base}/${place.plural}`;
    for await (const items of pagesOf<Item>(client, { path, size: page, metadataOnly: true })) {
      const chosen = items.filter(({ metadata }) => wanted.has(nameIn(metadata)));
      await eachOf(chosen, async ({ metadata }) => {
        signal?.throwIfAborted();
        await throughAny(clients, (one) => touch(one, place, metadata));
        written++;
        onProgress?.(written);
      });
    }
  });
  return written;
}

/**
 * How objects are called at the end of such a key: resources lie in folders of their own, under many a name. That it may
 * be another resource's object of the same name does no harm.
 */
function namesIn(key: string): readonly string[] {
  const parts = key.split('/');
  return [parts.slice(-2).join('/'), ...parts.slice(-1)];
}

const nameIn = ({ namespace, name }: Item['metadata']): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

async function touch(
  client: ApiClient,
  { base, plural }: ResourcePlace,
  metadata: Item['metadata'],
): Promise<void> {
  const { namespace, name } = metadata;
  const folder = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const path = `${base}${folder}/${plural}/${encodeURIComponent(name)}`;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body: {} });
      return;
    } catch (error) {
      // Deleted meanwhile: then there is nothing to be written. Changed meanwhile: once more.
      if (error instanceof ApiError && error.status === 404) return;
      if (!(error instanceof ApiError) || error.status !== 409 || attempt === 5) throw error;
    }
  }
}

/** The first of them that answers; what it says counts, also where that is no. */
async function throughAny<T>(
  clients: readonly ApiClient[],
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  let failure: unknown = new Error('no apiserver is ready');
  for (const client of clients) {
    try {
      return await work(client);
    } catch (error) {
      failure = error;
      if (!(error instanceof ApiError) || (error.status !== undefined && error.status < 500)) throw error;
    }
  }
  throw failure;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
