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

export function keyOf(store: StoreView, id: string): { ref: string; sha256: string } {
  const key = store.key(id);
  if (key === undefined) throw new Error(`no key ${id} in the store`);
  return { ref: key.ref, sha256: key.sha256 };
}
