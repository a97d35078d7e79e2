/**
 * The cluster as cluster.yaml describes it, validated and with every default filled in. Plain data: everything that
 * kbin makes is a function of this, the facts that hosts tell about themselves, and the certificate store.
 */
export interface Cluster {
  readonly name: string;
  /** In the order of cluster.yaml. Names and addresses are unique. */
  readonly hosts: readonly ClusterHost[];
  readonly ssh: SshDefaults;
  readonly etcd: EtcdSettings;
  readonly kubernetes: KubernetesSettings;
  readonly endpoint?: Endpoint;
  readonly pki: PkiSettings;
  readonly paths: Paths;
  /** Absolute path of the folder cluster.yaml lies in; `pki/` is beside it. */
  readonly folder: string;
}

export const roles = ['etcd', 'control-plane', 'worker', 'load-balancer'] as const;
export type Role = (typeof roles)[number];

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface ClusterHost {
  readonly name: string;
  /** The address that the cluster uses: canonical IPv4 or IPv6 text without a zone. */
  readonly address: string;
  readonly roles: readonly Role[];
  readonly architecture: Architecture;
  /** The defaults of `ssh:` with this host's own settings over them. `host` defaults to `address`. */
  readonly ssh: SshSettings;
}

export interface SshDefaults {
  /** How many hosts are worked on at once. */
  readonly parallel: number;
  /** How many seconds the clocks of hosts and operator may differ. */
  readonly maxClockSkew: number;
}

/** undefined means: what ~/.ssh/config says, then OpenSSH's default. Files are absolute, `~` already expanded. */
export interface SshSettings {
  /** Address or name to connect to, when it is not the cluster address. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly identityFile?: string;
  /** File that holds the passphrase of identityFile. */
  readonly passphraseFile?: string;
  /** Use the agent at $SSH_AUTH_SOCK. Default true. */
  readonly agent: boolean;
  /** `[user@]host[:port]`, as OpenSSH's ProxyJump; several comma-separated hops. */
  readonly jumpHost?: string;
  readonly knownHosts?: string;
  /** File that holds the sudo password; also $KBIN_SUDO_PASSWORD, or asked for on a terminal. */
  readonly sudoPasswordFile?: string;
  /** Seconds. */
  readonly connectTimeout: number;
  /** Seconds a remote command may take without ending. */
  readonly commandTimeout: number;
  /** Seconds between keep-alive probes; after three unanswered ones the link counts as lost. */
  readonly keepAlive: number;
}

export interface EtcdSettings {
  /** major.minor.patch without `v`. */
  readonly version: string;
  readonly source: BinarySource;
  readonly user: string;
  readonly group: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Plaintext metrics and /health listener; only ever a loopback address. undefined: none. */
  readonly metricsUrl?: string;
  /** initial-cluster-token. Defaults to the cluster's name. */
  readonly token: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly snapshotCount: number;
  readonly quotaBackendBytes: number;
  readonly maxRequestBytes: number;
  /** Go duration such as `1h`, or a number of revisions; `off` for none. */
  readonly autoCompaction: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** More ETCD_ variables, over the ones that kbin sets; those that would break kbin's own wiring are refused. */
  readonly environment: Readonly<Record<string, string>>;
  /** How kbin's own etcd client gets to the members: straight, or through the SSH connection. */
  readonly reach: 'direct' | 'ssh';
}

/**
 * Where a component's binaries come from: a release tarball or a folder on the operator's machine (absolute), or the
 * official download (`url` overrides its base address, for mirrors). `sha256`/`sha512` pin the tarball's digest.
 */
export type BinarySource =
  | { readonly kind: 'file'; readonly path: string; readonly sha256?: string; readonly sha512?: string }
  | { readonly kind: 'download'; readonly url?: string; readonly sha256?: string; readonly sha512?: string };

export interface KubernetesSettings {
  /**
   * major.minor.patch without `v`. undefined: no control plane is asked for (yet). There is no default, so that a newer
   * kbin never means another Kubernetes.
   */
  readonly version?: string;
  readonly source: BinarySource;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly dnsDomain: string;
  readonly apiserverPort: number;
  /** Seconds that an apiserver which was told to stop goes on serving while /readyz already says no. */
  readonly shutdownDelay: number;
  /** Of Secrets and other resources in etcd. undefined: they lie there in plain text. */
  readonly encryption?: EncryptionSettings;
  /** undefined: no audit log. */
  readonly audit?: AuditSettings;
  readonly components: Readonly<Record<ControlPlaneComponent, ComponentSettings>>;
}

export const controlPlaneComponents = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;
export type ControlPlaneComponent = (typeof controlPlaneComponents)[number];

export interface ComponentSettings {
  /** The account it runs as, and its group of the same name. */
  readonly user: string;
  /**
   * More flags, over those that kbin sets: name without dashes → values, several where the flag is given several times.
   * Those that would break kbin's own wiring are refused.
   */
  readonly flags: Readonly<Record<string, readonly string[]>>;
}

export const encryptionProviders = ['secretbox', 'aesgcm', 'aescbc'] as const;

export interface EncryptionSettings {
  readonly provider: (typeof encryptionProviders)[number];
  /** `secrets`, `configmaps`, `customresources.example.org`. At least one. */
  readonly resources: readonly string[];
}

export interface AuditSettings {
  /** YAML text of the user's own policy; undefined: kbin's (units/kube-apiserver/audit-policy.yaml). */
  readonly policy?: string;
  /** Days, files and megabytes that are kept, as --audit-log-maxage, -maxbackup and -maxsize have them. */
  readonly maxAge: number;
  readonly maxBackups: number;
  readonly maxSize: number;
}

export interface Endpoint {
  /** VIP, load balancer address or DNS name. */
  readonly address: string;
  readonly port: number;
  readonly loadBalancer?: 'haproxy' | 'nginx';
  readonly interface?: string;
}

export const keyAlgorithms = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** The CAs of pki/. */
export const authorityIds = ['etcd-ca', 'kubernetes-ca', 'front-proxy-ca'] as const;
export type AuthorityId = (typeof authorityIds)[number];

export interface PkiSettings {
  readonly key: KeyAlgorithm;
  /** Hours. */
  readonly validity: { readonly ca: number; readonly leaf: number; readonly crl: number };
  /** Subject fields added to every certificate. */
  readonly subject: SubjectFields;
  /** Addresses or names of hosts to come; added to the SANs of servers. */
  readonly reserve: readonly string[];
  /** CAs whose keys are kept where no host and no deploy needs them. */
  readonly offline: readonly AuthorityId[];
  /** More SANs per certificate of the plan: `{ apiserver: ['api.example.org'] }`. */
  readonly extraSans: Readonly<Record<string, readonly string[]>>;
}

/** O of a certificate that the plan gives an organisation to (system:masters) stays the plan's. */
export interface SubjectFields {
  readonly C?: string;
  readonly ST?: string;
  readonly L?: string;
  readonly O?: string;
  readonly OU?: string;
}

/** Where things lie on a host. Every path is absolute. */
export interface Paths {
  readonly units: string;
  readonly etcd: {
    readonly bin: string;
    /** etcd.conf, environment-file style. */
    readonly config: string;
    /** A folder that kbin switches as one: ca.crt, server.crt, server.key, peer.crt, peer.key, healthcheck-client.*. */
    readonly tls: string;
    readonly data: string;
    /** A folder of its own for the write-ahead log, else below `data`. */
    readonly wal?: string;
  };
  readonly kubernetes: {
    readonly bin: string;
    /** Folder of configuration that is no secret, and of admin.conf. */
    readonly config: string;
    /** Folder in which each component has a folder of its own that kbin switches as one: kube-apiserver, … */
    readonly tls: string;
    /** Folder of the audit log. */
    readonly audit: string;
  };
}

export function hostsWithRole(cluster: Cluster, role: Role): readonly ClusterHost[] {
  return cluster.hosts.filter((host) => host.roles.includes(role));
}
