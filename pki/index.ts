/**
 * Every certificate and key that kbin makes. Issuing, listing, rendering and the documentation all read this list; a new
 * certificate is an entry in one of these files and nothing else.
 */
import { encryptionKey } from './encryption-key.ts';
import type { AuthorityEntry, KeyPairEntry, KeyRingEntry, LeafEntry } from './entry.ts';
import { etcdCa } from './etcd-ca.ts';
import { frontProxyCa } from './front-proxy-ca.ts';
import { kubernetesCa } from './kubernetes-ca.ts';
import { serviceAccount } from './service-account.ts';

export const authorities: readonly AuthorityEntry[] = [etcdCa, kubernetesCa, frontProxyCa];
export const keyPairs: readonly KeyPairEntry[] = [serviceAccount];
export const keyRings: readonly KeyRingEntry[] = [encryptionKey];

export interface Located {
  readonly authority: AuthorityEntry;
  readonly leaf?: LeafEntry;
}

/** Finds what `etcd-ca`, `etcd-server` or `etcd-server@HOST` is an id of. */
export function findEntry(id: string): Located | undefined {
  const name = id.split('@', 1)[0];
  for (const authority of authorities) {
    if (authority.id === id) return { authority };
    const leaf = authority.leaves.find((entry) => entry.id === name);
    if (leaf !== undefined) return { authority, leaf };
  }
  return undefined;
}
