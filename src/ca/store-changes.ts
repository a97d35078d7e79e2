/** desired − observed, for the certificate store. Plain data: `kbin pki init --dry-run --json` prints it. */
export interface StoreDiff {
  /** In the plan's order. */
  readonly changes: readonly StoreChange[];
  /** Each of them stops every change: nothing is written while there is one. */
  readonly problems: readonly StoreProblem[];
  /** What differs from cluster.yaml, or should be known, and stays as it is. */
  readonly notes: readonly StoreNote[];
}

export interface StoreChange {
  /** Id in the plan: `etcd-ca`, `etcd-server@HOST`, `service-account`, `encryption-key`; `etcd-ca/crl`. */
  readonly id: string;
  readonly kind: 'authority' | 'leaf' | 'key-pair' | 'key-ring' | 'revocation-list';
  /** `repair` writes what follows from a key that stays: its digest file, its public key, its mode. */
  readonly action: 'create' | 'reissue' | 'repair';
  /** It is issued anew for the key that it has. Always so for a CA, and for a leaf where that was asked for. */
  readonly keepsKey?: true;
  readonly reasons: readonly Reason[];
}

export interface Reason {
  readonly code:
    | 'new'
    | 'san-added'
    | 'san-removed'
    | 'key-type'
    | 'subject'
    | 'usages'
    | 'other-ca'
    | 'expired'
    | 'renewal'
    | 'certificate-missing'
    | 'key-missing'
    | 'key-digest'
    | 'key-mode'
    | 'public-key'
    | 'key-order'
    | 'key-record'
    | 'chain'
    | 'revoked'
    | 'crl-missing'
    | 'crl-unreadable'
    | 'crl-entries'
    | 'crl-signer'
    | 'crl-expires'
    | 'crl-renewal';
  /** For a reader: `SAN added: 10.0.0.9`. */
  readonly message: string;
}

export interface StoreProblem {
  readonly id: string;
  readonly code:
    | 'ca-lost'
    | 'ca-unreadable'
    | 'not-a-ca'
    | 'ca-expired'
    | 'ca-key-missing'
    | 'ca-key-closed'
    | 'signed-elsewhere'
    | 'names-forbidden'
    | 'usages-forbidden'
    | 'key-not-kept'
    | 'key-mismatch'
    | 'key-malformed'
    | 'key-closed'
    | 'certificate-unreadable'
    | 'key-pair-lost'
    | 'key-order'
    | 'key-record'
    | 'encryption-key-lost'
    | 'encryption-key-changed';
  readonly message: string;
  readonly why: string;
  readonly next: string;
}

export interface StoreNote {
  readonly id: string;
  /** Where `kbin pki check` has a finding of its own that says so. */
  readonly code?: 'outlives-ca';
  readonly message: string;
}
