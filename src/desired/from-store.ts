import type { Cluster } from '../cluster/cluster.ts';
import type { StoreView } from './store-view.ts';

/** What desired state takes from the certificate store. That all of it is there, desire() has looked before. */

export function pemOf(store: StoreView, id: string): string {
  const certificate = store.certificate(id);
  if (certificate === undefined) throw new Error(`no certificate ${id} in the store`);
  return certificate.pem;
}

/** Of a CA, for those who verify with it. */
export function trustedPem(store: StoreView, authority: string): string {
  const pem = store.trusted(authority);
  if (pem === undefined) throw new Error(`no CA ${authority} in the store`);
  return pem;
}

/**
 * Whether kube-controller-manager gets the key of kubernetes-ca, with which it signs what kubelets and others ask for.
 * Not where that key is kept offline; nor where pki/ knows nothing of it, not even its digest: then another one keeps it.
 */
export function signsNodes({ pki }: Cluster, store: StoreView): boolean {
  return !pki.offline.includes('kubernetes-ca') && store.key('kubernetes-ca') !== undefined;
}

export function keyOf(store: StoreView, id: string): { ref: string; sha256: string } {
  const key = store.key(id);
  if (key === undefined) throw new Error(`no key ${id} in the store`);
  return { ref: key.ref, sha256: key.sha256 };
}
