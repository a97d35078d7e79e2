import type { Part } from './desired.ts';

/**
 * What pure functions may know of the certificate store (src/ca/store): certificates, and keys as references with a
 * fingerprint, so that `kbin plan` works where the keys are not.
 */
export interface StoreView {
  /**
   * By its id in the plan, PEM. A leaf, `etcd-server@k8s-master1`, as it is served: followed by the intermediate CAs
   * between it and what everyone trusts. A CA, `etcd-ca`: the one that signs, and nothing else.
   */
  certificate(id: string): { readonly ref: string; readonly pem: string } | undefined;
  /**
   * What those trust who verify with this CA, PEM: the one that signs first, then the next or the previous one while a
   * rotation is under way. Never what an intermediate CA goes back to: then whoever else that one signed for would be let
   * in. undefined: there is no such CA yet.
   */
  trusted(authority: string): string | undefined;
  /** `sha256` is of the key as hosts get it: of the file's bytes, or of what is in it where the file is encrypted. */
  key(id: string): { readonly ref: string; readonly sha256: string } | undefined;
  /** Public keys that service-account tokens are verified with, PEM; the one that belongs to the signing key first. */
  serviceAccountKeys(): readonly { readonly ref: string; readonly pem: string }[];
  /** In the order of an EncryptionConfiguration: the first one encrypts. `name` is part of what is stored in etcd. */
  encryptionKeys(): readonly { readonly name: string; readonly ref: string; readonly sha256: string }[];
  /** Those that a rotation has retired: nothing in etcd needed them any more when that was proven. By number. */
  retiredEncryptionKeys(): readonly { readonly name: string; readonly sha256: string }[];
  /** sha256, hex, of the text that these parts make; undefined when a secret among them is not here. */
  digestOf(parts: readonly Part[]): string | undefined;
  /**
   * What a CA has revoked; undefined: nothing, ever. `list`: DER as base64; undefined where it was not made, or is lost.
   * `serials`: of all that was revoked, upper-case hex, oldest first. `last`: the certificate that was revoked last.
   */
  revocations(authority: string):
    | {
        readonly list?: string;
        readonly serials: readonly string[];
        readonly last: { readonly serial: string; readonly at: Date };
      }
    | undefined;
  /** Cluster id of the etcd that was bootstrapped from this store, hex; undefined before. */
  readonly etcdClusterId?: string;
}
