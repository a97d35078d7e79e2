import { type ApiClient, ApiError } from './api-client.ts';

/** As every list of Kubernetes has it. */
export interface Page<T> {
  readonly metadata: { readonly continue?: string };
  readonly items?: readonly T[] | null;
}

export interface Listing {
  /** Of the collection, with its query if it has one. */
  readonly path: string;
  /** Objects that one answer may hold. */
  readonly size: number;
  /** Only `metadata` of each comes over the wire. */
  readonly metadataOnly?: boolean;
}

/**
 * Page by page; yields the items of one. Where the list grew old before its end was reached (410), it is begun again, so
 * that an item may come twice. Throws an ApiError.
 */
export async function* pagesOf<T>(client: ApiClient, listing: Listing): AsyncGenerator<readonly T[]> {
  const { path, size, metadataOnly } = listing;
  const accept = metadataOnly === true ? { accept: metadataAlone } : {};
  let next: string | undefined;
  let begun = 1;
  do {
    const more = next === undefined ? '' : `&continue=${encodeURIComponent(next)}`;
    const query = `${path.includes('?') ? '&' : '?'}limit=${size}${more}`;
    try {
      const page = await client.send<Page<T>>({ method: 'GET', path: `${path}${query}`, ...accept });
      yield page.items ?? [];
      next = page.metadata.continue || undefined;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 410 || begun === mostBeginnings) throw error;
      begun++;
      next = '';
    }
  } while (next !== undefined);
}

const mostBeginnings = 5;

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const metadataAlone = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
