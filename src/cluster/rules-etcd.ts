import { defaults } from './defaults.ts';
import { error, missing, type Problem, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import { withRole } from './rules-hosts.ts';
import { isOlder, minorOf } from './version.ts';

/** What is known of etcd's versions. Kubernetes' wants: its own release notes and the etcd versions it is tested with. */
const known = {
  minors: ['3.4', '3.5', '3.6', '3.7'],
  /** Data corruption: https://github.com/etcd-io/etcd/blob/main/Documentation/postmortems/v3.5-data-inconsistency.md */
  corrupt: { from: '3.5.0', fixed: '3.5.3' },
  /** From this Kubernetes on, etcd must be one of these or newer. */
  wanted: { kubernetes: '1.34.0', byMinor: '3.5.24', or: '3.6.0' },
} as const;

export const etcdRules: readonly Rule[] = [
  function* version({ etcd, ...draft }) {
    const given = etcd?.version;
    if (given === undefined) {
      if (withRole(draft, 'etcd').length === 0) return;
      yield missing(
        ['etcd', 'version'],
        'an etcd version must be chosen, and stays until you change it; say 3.6.5',
      );
      return;
    }
    yield* unfitVersion(given);
  },

  function* versionForKubernetes({ etcd, kubernetes }) {
    const { wanted } = known;
    if (etcd?.version === undefined || kubernetes?.version === undefined) return;
    if (!isOlder(etcd.version, wanted.byMinor) || isOlder(kubernetes.version, wanted.kubernetes)) return;
    const text = `Kubernetes ${kubernetes.version} wants etcd ${wanted.or}, or at least ${wanted.byMinor}`;
    yield warning(['etcd', 'version'], text);
  },

  /** etcd itself refuses to start otherwise. */
  function* electionWaitsForHeartbeats({ etcd }) {
    const heartbeat = etcd?.heartbeatInterval ?? defaults.etcd.heartbeatInterval;
    const election = etcd?.electionTimeout ?? defaults.etcd.electionTimeout;
    if (election >= 5 * heartbeat) return;
    const at = etcd?.electionTimeout === undefined ? 'heartbeatInterval' : 'electionTimeout';
    yield error(
      ['etcd', at],
      `the election timeout (${election}ms) must be 5 times the heartbeat (${heartbeat}ms) or more`,
    );
  },

  function* largeNumbers({ etcd }) {
    if ((etcd?.quotaBackendBytes ?? 0) > 8 * 1024 ** 3) {
      yield warning(['etcd', 'quotaBackendBytes'], 'more than 8GiB, the most that etcd recommends');
    }
    if ((etcd?.maxRequestBytes ?? 0) > 10 * 1024 ** 2) {
      yield warning(['etcd', 'maxRequestBytes'], 'more than 10MiB, the most that etcd recommends');
    }
  },
];

function* unfitVersion(version: string): Generator<Problem> {
  const path = ['etcd', 'version'];
  const { corrupt, minors } = known;
  if (!isOlder(version, corrupt.from) && isOlder(version, corrupt.fixed)) {
    yield error(path, `etcd ${version} can corrupt data when it is killed; ${corrupt.fixed} mends it`);
  }
  if ((minors as readonly string[]).includes(minorOf(version))) return;
  yield warning(path, `etcd ${version} is not among the versions that kbin knows: ${minors.join(', ')}`);
}
