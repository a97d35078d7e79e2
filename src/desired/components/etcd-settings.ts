import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import { revocationListName } from './etcd-bundle.ts';
import { etcdKnows } from './etcd-flags.ts';
import { type Joining, joiningValue } from './etcd-joining.ts';
import { clientUrls, listenClientUrls, peerUrls } from './etcd-urls.ts';
import { modernSuites } from './tls-suites.ts';

/** What a setting's value may depend on. */
export interface EtcdMember {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  readonly joining: Joining;
  readonly version: Version;
  /** What was revoked last; undefined: nothing, ever. */
  readonly lastRevoked?: { readonly serial: string; readonly at: Date } | undefined;
}

export interface EtcdSetting {
  readonly variable: string;
  /** undefined: not set on this member. */
  readonly value: (member: EtcdMember) => string | undefined;
  /** Minors between which kbin sets it, where that is less than what etcd knows (etcd-flags.ts). */
  readonly since?: string;
  readonly until?: string;
  /** Why `etcd.environment` may not set it; undefined when it may. */
  readonly wiring?: string;
}

const paths = 'it follows from `paths:`, and the unit, the certificates and the data directory depend on it';
const listens = 'kbin, the other members and the certificates count on the host’s address, with TLS';
const joins = 'it must be what the membership was when this member joined';
const tls = 'members and clients would no longer trust each other, or anybody at all would be let in';

/**
 * The write-ahead log's folder where it does not lie in the data directory. etcd makes it by renaming a sibling into its
 * place, which it may not do with a mount point or below a folder of root's: so it lies in the folder that is given.
 */
export function ownWal({ paths }: Pick<Cluster, 'paths'>): string | undefined {
  return paths.etcd.wal === undefined ? undefined : `${paths.etcd.wal}/wal`;
}

/** Where the write-ahead log is, given or not. */
export function walFolder(cluster: Pick<Cluster, 'paths'>): string {
  return ownWal(cluster) ?? `${cluster.paths.etcd.data}/member/wal`;
}

/** What kbin sets, in the order of units/etcd/etcd.conf. Values are in etcd’s own units: milliseconds, bytes. */
export const etcdSettings: readonly EtcdSetting[] = [
  {
    variable: 'ETCD_NAME',
    value: ({ host }) => host.name,
    wiring: 'kbin knows its members by their host names',
  },
  { variable: 'ETCD_DATA_DIR', value: ({ cluster }) => cluster.paths.etcd.data, wiring: paths },
  { variable: 'ETCD_WAL_DIR', value: ({ cluster }) => ownWal(cluster), wiring: paths },
  {
    variable: 'ETCD_LISTEN_PEER_URLS',
    value: ({ cluster, host }) => peerUrls(cluster, host),
    wiring: listens,
  },
  {
    variable: 'ETCD_LISTEN_CLIENT_URLS',
    value: ({ cluster, host }) => listenClientUrls(cluster, host),
    wiring: listens,
  },
  { variable: 'ETCD_HEARTBEAT_INTERVAL', value: ({ cluster }) => String(cluster.etcd.heartbeatMs) },
  { variable: 'ETCD_ELECTION_TIMEOUT', value: ({ cluster }) => String(cluster.etcd.electionMs) },
  { variable: 'ETCD_SNAPSHOT_COUNT', value: ({ cluster }) => String(cluster.etcd.snapshotCount) },
  { variable: 'ETCD_QUOTA_BACKEND_BYTES', value: ({ cluster }) => String(cluster.etcd.quotaBackendBytes) },
  { variable: 'ETCD_MAX_REQUEST_BYTES', value: ({ cluster }) => String(cluster.etcd.maxRequestBytes) },

  {
    variable: 'ETCD_INITIAL_ADVERTISE_PEER_URLS',
    value: ({ cluster, host }) => peerUrls(cluster, host),
    wiring: listens,
  },
  {
    variable: 'ETCD_ADVERTISE_CLIENT_URLS',
    value: ({ cluster, host }) => clientUrls(cluster, host),
    wiring: listens,
  },
  { variable: 'ETCD_INITIAL_CLUSTER', value: joiningValue('ETCD_INITIAL_CLUSTER'), wiring: joins },
  {
    variable: 'ETCD_INITIAL_CLUSTER_TOKEN',
    value: joiningValue('ETCD_INITIAL_CLUSTER_TOKEN'),
    wiring: joins,
  },
  {
    variable: 'ETCD_INITIAL_CLUSTER_STATE',
    value: joiningValue('ETCD_INITIAL_CLUSTER_STATE'),
    wiring: joins,
  },
  // The default since 3.5: a member that was cut off does not disturb the leader when it comes back.
  { variable: 'ETCD_PRE_VOTE', value: () => 'true' },
  { variable: 'ETCD_AUTO_COMPACTION_MODE', value: ({ cluster }) => compaction(cluster).mode },
  { variable: 'ETCD_AUTO_COMPACTION_RETENTION', value: ({ cluster }) => compaction(cluster).retention },

  { variable: 'ETCD_CERT_FILE', value: ({ cluster }) => `${cluster.paths.etcd.tls}/server.crt`, wiring: tls },
  { variable: 'ETCD_KEY_FILE', value: ({ cluster }) => `${cluster.paths.etcd.tls}/server.key`, wiring: tls },
  {
    variable: 'ETCD_TRUSTED_CA_FILE',
    value: ({ cluster }) => `${cluster.paths.etcd.tls}/ca.crt`,
    wiring: tls,
  },
  { variable: 'ETCD_CLIENT_CERT_AUTH', value: () => 'true', wiring: tls },
  {
    variable: 'ETCD_PEER_CERT_FILE',
    value: ({ cluster }) => `${cluster.paths.etcd.tls}/peer.crt`,
    wiring: tls,
  },
  {
    variable: 'ETCD_PEER_KEY_FILE',
    value: ({ cluster }) => `${cluster.paths.etcd.tls}/peer.key`,
    wiring: tls,
  },
  {
    variable: 'ETCD_PEER_TRUSTED_CA_FILE',
    value: ({ cluster }) => `${cluster.paths.etcd.tls}/ca.crt`,
    wiring: tls,
  },
  { variable: 'ETCD_PEER_CLIENT_CERT_AUTH', value: () => 'true', wiring: tls },
  { variable: 'ETCD_CLIENT_CRL_FILE', value: revocationList },
  { variable: 'ETCD_PEER_CRL_FILE', value: revocationList },
  // TLS 1.2 is etcd’s own least version in every release; from 3.5.8 on it can be said.
  { variable: 'ETCD_TLS_MIN_VERSION', value: () => 'TLS1.2' },
  { variable: 'ETCD_CIPHER_SUITES', value: cipherSuites },

  // A member whose data differs from the others’ does not start. Every release since 3.6 has it as a feature gate.
  { variable: 'ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK', value: () => 'true', until: '3.5' },
  { variable: 'ETCD_FEATURE_GATES', value: featureGates, since: '3.6' },

  { variable: 'ETCD_LOGGER', value: () => 'zap' },
  // To systemd’s journal, in the same way in every release.
  { variable: 'ETCD_LOG_OUTPUTS', value: () => 'stderr' },
  { variable: 'ETCD_LOG_LEVEL', value: ({ cluster }) => cluster.etcd.logLevel },
  {
    variable: 'ETCD_LISTEN_METRICS_URLS',
    value: ({ cluster }) => cluster.etcd.metricsUrl,
    wiring: 'set `etcd.metricsUrl`, which allows a loopback address only: the listener is in plain text',
  },

  // etcd 3.4 does not count arm64 as supported and stops without this (etcdmain/etcd.go, checkSupportArch; 3.5 does).
  {
    variable: 'ETCD_UNSUPPORTED_ARCH',
    value: ({ host }) => (host.architecture === 'amd64' ? undefined : host.architecture),
    until: '3.4',
  },
];

/** Whether kbin sets this one in that release. */
export function isSet({ variable, since, until }: EtcdSetting, version: Version): boolean {
  return (
    etcdKnows(variable, version) &&
    (since === undefined || compareMinors(version, versionOf(`${since}.0`)) >= 0) &&
    (until === undefined || compareMinors(version, versionOf(`${until}.0`)) <= 0)
  );
}

/** Where the file is missing, etcd refuses everybody: so it is set only where there is one. */
function revocationList({ cluster, lastRevoked }: EtcdMember): string | undefined {
  return lastRevoked === undefined ? undefined : `${cluster.paths.etcd.tls}/${revocationListName}`;
}

/** etcd refuses to start with a list of TLS 1.2 suites when TLS 1.3 is the least version. */
function cipherSuites({ cluster }: EtcdMember): string | undefined {
  return cluster.etcd.environment.ETCD_TLS_MIN_VERSION === 'TLS1.3' ? undefined : modernSuites.join(',');
}

/** The user’s gates, and kbin’s where the user says nothing of it. */
function featureGates({ cluster }: EtcdMember): string {
  const wanted = cluster.etcd.environment.ETCD_FEATURE_GATES ?? '';
  const own = /(^|,)\s*(InitialCorruptCheck|AllAlpha)\s*=/.test(wanted) ? [] : ['InitialCorruptCheck=true'];
  return [...own, ...(wanted === '' ? [] : [wanted])].join(',');
}

/** `1h`, `90m`: by time; `1000`: by revisions; `off`: none (retention 0). */
function compaction({ etcd: { autoCompaction } }: Cluster): { mode: string; retention: string } {
  if (autoCompaction === 'off') return { mode: 'periodic', retention: '0' };
  return { mode: /^\d+$/.test(autoCompaction) ? 'revision' : 'periodic', retention: autoCompaction };
}
