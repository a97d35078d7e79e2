/** What one probe of one host found, in one round trip. Paths are only those that were asked for. */
export interface Observed {
  readonly host: string;
  readonly facts: HostFacts;
  /** By absolute path. A path that does not exist is absent. */
  readonly paths: ReadonlyMap<string, ObservedPath>;
  readonly units: ReadonlyMap<string, ObservedUnit>;
  /** By the data directory's path. */
  readonly dataDirectories: ReadonlyMap<string, ObservedDataDirectory>;
  /** TCP ports (of those asked for) that something listens on. */
  readonly listeners: readonly ObservedListener[];
  /** Accounts (of those asked for) that exist: users by name, groups as `:name`. */
  readonly accounts: readonly string[];
  /** `.kbin-…` files that a cut-off run left beside the asked-for paths; absolute. */
  readonly leftovers: readonly string[];
}

export interface HostFacts {
  readonly hostName: string;
  /** `uname -m`: x86_64, aarch64. */
  readonly machine: string;
  /** ID of /etc/os-release, e.g. debian. */
  readonly distribution: string;
  readonly distributionVersion: string;
  readonly kernel: string;
  /** Name of process 1: systemd on a host that kbin can use. */
  readonly init: string;
  readonly systemdVersion?: number;
  readonly addresses: readonly string[];
  /** Host clock minus operator clock, in seconds: of what the round trip leaves possible, the least. */
  readonly clockOffset: number;
  readonly selinux: 'enforcing' | 'permissive' | 'disabled';
  /** Bytes free on the file systems that the asked-for paths lie on, by path. */
  readonly freeBytes: ReadonlyMap<string, number>;
}

export interface ObservedPath {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  /** Of the content, really computed; for a link to a file, of the file it leads to. Regular files only. */
  readonly sha256?: string;
  readonly size?: number;
  /** Where a link points, as it stands in the link. */
  readonly target?: string;
  /** Of files asked for as text (never secrets). */
  readonly text?: string;
  /** Something directly below belongs to another user. Directories only. */
  readonly foreignEntries?: boolean;
}

export interface ObservedUnit {
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  /** enabled, disabled, masked, static, …; empty when not found. */
  readonly enabled: string;
  readonly needDaemonReload: boolean;
  readonly dropIns: readonly string[];
  readonly mainPid: number;
  /** KBIN_INPUTS of the running main process; undefined when it does not run or was not started by kbin's unit. */
  readonly runningInputs?: string;
  /** The binary that the process runs was replaced or deleted after its start. */
  readonly executableReplaced: boolean;
  readonly result: string;
  /** The running main process; undefined when there is none, or it was gone when it was looked at. */
  readonly process?: ObservedProcess;
}

/** What a process was started with, whatever its unit and files say by now. */
export interface ObservedProcess {
  readonly argv: readonly string[];
  /** Its environment, as far as names begin with `ETCD_`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names that systemd gives to every unit (`systemctl set-environment`), among those. */
  readonly inherited: readonly string[];
}

export interface ObservedDataDirectory {
  /** absent: no such directory; empty: no file in it; data: an etcd member's log; foreign: files, but no such log. */
  readonly state: 'absent' | 'empty' | 'data' | 'foreign';
  /** kbin's marker beside the configuration, written once the member was proven healthy. */
  readonly marker?: MemberMarker;
  /**
   * Whose data it is, read from the write-ahead log's own metadata record without starting anything. Only with state
   * `data`; undefined when the log could not be read. The ids of a bootstrapped cluster follow from token and peer
   * URLs alone (src/diff/etcd-identity.ts), so this tells an own interrupted bootstrap from a foreign member.
   */
  readonly identity?: { readonly clusterId: string; readonly memberId: string };
}

/** Hex ids, as etcdctl prints them. */
export interface MemberMarker {
  readonly clusterId: string;
  readonly memberId: string;
  readonly name: string;
}

export interface ObservedListener {
  readonly port: number;
  readonly address: string;
  readonly process?: string;
  readonly pid?: number;
}

/** Which keys lie in a file on a host: public ones as they are, secrets by a digest alone. */
export type KeyFile =
  /** Or no regular file, or closed even to root. */
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'keys';
      /** Of the whole file, hex. */
      readonly sha256: string;
      /** Its certificates and public keys, and the public half of its private key. */
      readonly pem: string;
      /** There is a private key in it, and the host could not tell its public half (no openssl, a passphrase, several keys). */
      readonly isClosed: boolean;
    }
  | {
      readonly kind: 'encryption';
      /** How many groups of resources have providers of their own. */
      readonly lists: number;
      readonly resources: readonly string[];
      /** In their order: `aescbc:key1:SHA256` (hex, of the key as base64 in one line), `identity`, `kms`. */
      readonly providers: readonly string[];
    };
