import { compareMinors, compareVersions, type Version, versionOf } from '../../cluster/version.ts';

/**
 * Every flag of the etcd server, by the releases that know it; each is also a variable: `--data-dir` is ETCD_DATA_DIR.
 * An unknown variable only makes etcd warn, so kbin has to know.
 *
 * Sources: `etcd --help` and trial of each flag with the binaries 3.4.23 and 3.5.16 (test/desired/etcd-flags.test.ts does
 * it again); 3.6: server/embed/config.go (AddFlags) and server/etcdmain/config.go of etcd-io/etcd, release-3.6; 3.7: the
 * upgrade guide 3.6 → 3.7 (etcd-io/website, upgrade_3_7.md: all --experimental-* gone) and CHANGELOG-3.7 (v2 discovery
 * gone, etcd-io/etcd#20109). Patch releases: CHANGELOG-3.4, CHANGELOG-3.5.
 */
interface FlagLife {
  /** First release; where a flag was brought to older lines too, the first of each. Default 3.4.0. */
  readonly since?: readonly string[];
  /** Last minor that knows it. Default: still there. */
  readonly until?: string;
  readonly flags: string;
}

const lives: readonly FlagLife[] = [
  {
    flags: `name data-dir wal-dir snapshot-count heartbeat-interval election-timeout initial-election-tick-advance
      listen-peer-urls listen-client-urls max-snapshots max-wals quota-backend-bytes backend-batch-interval
      backend-batch-limit max-txn-ops max-request-bytes enable-grpc-gateway
      grpc-keepalive-min-time grpc-keepalive-interval grpc-keepalive-timeout
      initial-advertise-peer-urls initial-cluster initial-cluster-state initial-cluster-token advertise-client-urls
      discovery-fallback discovery-srv discovery-srv-name strict-reconfig-check pre-vote
      auto-compaction-retention auto-compaction-mode
      cert-file key-file client-cert-auth client-crl-file client-cert-allowed-hostname trusted-ca-file auto-tls
      peer-cert-file peer-key-file peer-client-cert-auth peer-crl-file peer-cert-allowed-cn peer-cert-allowed-hostname
      peer-trusted-ca-file peer-auto-tls cipher-suites cors host-whitelist auth-token bcrypt-cost
      enable-pprof metrics listen-metrics-urls logger log-outputs log-level force-new-cluster config-file version`,
  },
  { since: ['3.4.10'], flags: 'unsafe-no-fsync auth-token-ttl' },
  { since: ['3.4.20', '3.5.5'], flags: 'max-concurrent-streams' },
  {
    since: ['3.5.0'],
    flags: `backend-bbolt-freelist-type socket-reuse-port socket-reuse-address raft-read-timeout raft-write-timeout
      client-cert-file client-key-file peer-client-cert-file peer-client-key-file self-signed-cert-validity
      v2-deprecation enable-log-rotation log-rotation-config-json`,
  },
  { since: ['3.5.8'], flags: 'tls-min-version tls-max-version listen-client-http-urls' },
  {
    since: ['3.6.0'],
    flags: `feature-gates log-format max-learners memory-mlock snapshot-catchup-entries corrupt-check-time
      compact-hash-check-time compaction-batch-limit compaction-sleep-interval downgrade-check-time
      watch-progress-notify-interval warning-apply-duration warning-unary-request-duration
      bootstrap-defrag-threshold-megabytes peer-skip-client-san-verification
      enable-distributed-tracing distributed-tracing-address distributed-tracing-service-name
      distributed-tracing-instance-id distributed-tracing-sampling-rate
      discovery-token discovery-endpoints discovery-dial-timeout discovery-request-timeout discovery-keepalive-time
      discovery-keepalive-timeout discovery-insecure-transport discovery-insecure-skip-tls-verify discovery-cert
      discovery-key discovery-cacert discovery-user discovery-password`,
  },
  { until: '3.4', flags: 'log-output debug log-package-levels experimental-backend-bbolt-freelist-type' },
  {
    until: '3.5',
    flags: `enable-v2 experimental-enable-v2v3 proxy proxy-failure-wait proxy-refresh-interval proxy-dial-timeout
      proxy-write-timeout proxy-read-timeout`,
  },
  {
    until: '3.6',
    flags: `discovery discovery-proxy experimental-initial-corrupt-check experimental-corrupt-check-time
      experimental-enable-lease-checkpoint experimental-compaction-batch-limit
      experimental-peer-skip-client-san-verification`,
  },
  { since: ['3.4.11'], until: '3.6', flags: 'experimental-watch-progress-notify-interval' },
  { since: ['3.4.16'], until: '3.6', flags: 'experimental-warning-apply-duration' },
  { since: ['3.4.20', '3.5.2'], until: '3.6', flags: 'experimental-enable-lease-checkpoint-persist' },
  {
    since: ['3.5.0'],
    until: '3.6',
    flags: `experimental-enable-distributed-tracing experimental-distributed-tracing-address
      experimental-distributed-tracing-service-name experimental-distributed-tracing-instance-id
      experimental-distributed-tracing-sampling-rate experimental-compaction-sleep-interval
      experimental-downgrade-check-time experimental-memory-mlock experimental-txn-mode-write-with-shared-buffer
      experimental-bootstrap-defrag-threshold-megabytes experimental-stop-grpc-service-on-defrag
      experimental-snapshot-catchup-entries`,
  },
  {
    since: ['3.5.5'],
    until: '3.6',
    flags: 'experimental-compact-hash-check-enabled experimental-compact-hash-check-time',
  },
  { since: ['3.6.0'], until: '3.6', flags: 'experimental-warning-unary-request-duration' },
];

const lifeOf: ReadonlyMap<string, FlagLife> = new Map(
  lives.flatMap((life) => life.flags.split(/\s+/).map((flag) => [flag, life] as const)),
);

/** `data-dir` → `ETCD_DATA_DIR`. */
export function variableOf(flag: string): string {
  return `ETCD_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Whether that release of etcd takes this variable. ETCD_UNSUPPORTED_ARCH is read outside the flags, by every one. */
export function etcdKnows(variable: string, version: Version): boolean {
  if (variable === 'ETCD_UNSUPPORTED_ARCH') return true;
  const life = lifeOf.get(flagOf(variable));
  return life !== undefined && hasCome(life.since ?? [], version) && !hasGone(life.until, version);
}

/** All flags that a release knows, for the tests that hold this table against real binaries. */
export function flagsOf(version: Version): string[] {
  return [...lifeOf.keys()].filter((flag) => etcdKnows(variableOf(flag), version));
}

/** When it exists in other releases only: `until 3.5`, `from 3.6.0 on`. undefined for a variable nobody knows. */
export function lifeText(variable: string): string | undefined {
  const life = lifeOf.get(flagOf(variable));
  if (life === undefined) return undefined;
  const parts = [
    ...(life.since === undefined ? [] : [`from ${life.since.join(' and ')} on`]),
    ...(life.until === undefined ? [] : [`until ${life.until}`]),
  ];
  return parts.join(', ');
}

function flagOf(variable: string): string {
  return variable
    .replace(/^ETCD_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

function hasCome(since: readonly string[], version: Version): boolean {
  const firsts = since.map(versionOf);
  const own = firsts.find((first) => compareMinors(first, version) === 0);
  if (own !== undefined) return compareVersions({ ...version, preRelease: '' }, own) >= 0;
  return firsts.every((first) => compareMinors(first, version) < 0);
}

function hasGone(until: string | undefined, version: Version): boolean {
  return until !== undefined && compareMinors(version, versionOf(`${until}.0`)) > 0;
}
