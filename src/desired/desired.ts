/**
 * What should exist on each host. Made by pure functions from the Cluster, the host's facts and the certificate store;
 * compared with what a probe observed (src/observe) by src/diff. Plain data that can be printed: secrets are references.
 */
export interface DesiredHost {
  readonly host: string;
  readonly components: readonly DesiredComponent[];
}

/** One program and everything it needs on a host, e.g. etcd. Components are applied in their order. */
export interface DesiredComponent {
  readonly name: string;
  readonly account?: Account;
  readonly directories: readonly DesiredDirectory[];
  readonly files: readonly DesiredFile[];
  readonly bundles: readonly DesiredBundle[];
  readonly unit: DesiredUnit;
  /** TCP ports the component listens on. The probe says who has them. */
  readonly ports?: readonly number[];
  /** What the component itself keeps on the host and kbin never writes, apart from the marker. */
  readonly state?: ComponentState;
}

export interface ComponentState {
  /** Absolute path of the data directory (also among `directories`). */
  readonly directory: string;
  /** Absolute path of the write-ahead log. */
  readonly wal: string;
  /** Absolute path of kbin's MemberMarker (JSON), beside the configuration: `kbin-member.json`. */
  readonly marker: string;
}

export interface Account {
  readonly user: string;
  readonly group: string;
}

export interface Ownership {
  /** Permission bits, e.g. 0o600. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

export interface DesiredDirectory extends Ownership {
  readonly path: string;
  /** Everything below belongs to the owner too (a data directory). */
  readonly recursive?: boolean;
  /** Only leads to others: where it is there already, all it has to do is let their accounts through. */
  readonly passage?: boolean;
}

export interface DesiredFile extends Ownership {
  /** Absolute; inside a bundle, the file's name in it. */
  readonly path: string;
  readonly content: Content;
  /** What the component's unit needs before a change of this file is in force. */
  readonly effect: Effect;
}

export type Effect = 'none' | 'restart';

export type Content =
  | { readonly kind: 'text'; readonly text: string; readonly sha256: string }
  /** A small file that is no text and no secret: a revocation list in DER. */
  | { readonly kind: 'bytes'; readonly base64: string; readonly sha256: string }
  /** A file of the certificate store that nobody may see: `ref` is its path below pki/, read at the moment of upload. */
  | { readonly kind: 'secret'; readonly ref: string; readonly sha256: string }
  /**
   * A text with secrets in it (a kubeconfig, an encryption configuration), put together at the moment of upload.
   * `identity` stands for it in digests of bundles and units: hex, over the parts, and the same with and without the
   * secrets. `sha256` is of the whole; where the secrets are not (a store without its keys) it is the identity, and
   * nobody can say whether the file on the host is it.
   */
  | {
      readonly kind: 'composed';
      readonly parts: readonly Part[];
      readonly sha256: string;
      readonly identity: string;
    }
  /** A binary on the operator's machine: `ref` is its absolute path there. Streamed, never read whole. */
  | { readonly kind: 'binary'; readonly ref: string; readonly sha256: string; readonly size: number };

/** A piece of a composed text: as it stands, or a secret file of the store (`ref` below pki/). */
export type Part = string | SecretPart;

export interface SecretPart {
  readonly ref: string;
  /** Of the file's bytes. */
  readonly sha256: string;
  /** `base64`: of the file's bytes; `line`: the file's one line without its end. */
  readonly as: 'base64' | 'line';
}

/** A secret as it stands in a composed text. */
export function written({ as }: SecretPart, bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes);
  return as === 'base64'
    ? Buffer.from(buffer.toString('base64'))
    : Buffer.from(buffer.toString('utf8').trimEnd());
}

/** What a content counts as in a digest over several. */
export function identityOf(content: Content): string {
  return content.kind === 'composed' ? content.identity : content.sha256;
}

/**
 * Files that must change together (a certificate and its key). `path` is a symbolic link to a sibling folder
 * `.NAME-DIGEST`, so that one rename switches all of them.
 */
export interface DesiredBundle extends Ownership {
  readonly path: string;
  readonly files: readonly DesiredFile[];
  /** Hex digest over names, modes, owners and contents; part of the target folder's name (src/desired/bundle.ts). */
  readonly digest: string;
}

export interface DesiredUnit {
  /** e.g. `etcd.service`; its file is among the component's files. */
  readonly name: string;
  /**
   * Hex digest of every text that needs a restart to be in force (unit, configuration, CA; the binary the probe sees
   * for itself). The unit file carries it as `Environment=KBIN_INPUTS=…`; the probe reads it from the running process.
   */
  readonly inputs: string;
  /**
   * What the main process has then: `inputs` alone does not tell when somebody edited a file, restarted the unit by hand,
   * and the file was put right since.
   */
  readonly process: {
    readonly argv: readonly string[];
    /** Its environment, as far as names begin with `ETCD_`. */
    readonly settings: Readonly<Record<string, string>>;
  };
}

/** Absolute path of the folder that a bundle's symbolic link points to. */
export function bundleTarget(bundle: Pick<DesiredBundle, 'path' | 'digest'>): string {
  const slash = bundle.path.lastIndexOf('/');
  return `${bundle.path.slice(0, slash)}/.${bundle.path.slice(slash + 1)}-${bundle.digest.slice(0, 16)}`;
}

/** Where kubeadm would have put the component's manifest, whatever kbin's own `paths:` are. */
export function staticPodPath(component: string): string {
  return `/etc/kubernetes/manifests/${component}.yaml`;
}
