/**
 * What pure functions may know of the certificate store (src/ca/store): certificates, and keys as references with a
 * fingerprint, so that `kbin plan` works where the keys are not.
 */
export interface StoreView {
  /** Leaf or CA by its id in the plan: `etcd-ca`, `etcd-server@k8s-master1`. */
  certificate(id: string): { readonly ref: string; readonly pem: string } | undefined;
  /** `sha256` is of the key file's bytes. */
  key(id: string): { readonly ref: string; readonly sha256: string } | undefined;
  /** Cluster id of the etcd that was bootstrapped from this store, hex; undefined before. */
  readonly etcdClusterId?: string;
}
