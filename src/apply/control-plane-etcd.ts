import { hostsWithRole } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import { describe, type Voters } from '../health/gates.ts';
import { isQuorum } from '../health/quorum.ts';
import type { Deployment } from './deployment.ts';

/** Without etcd no apiserver comes up, and one that runs is no better for a restart: nothing is changed then. */
export function refuseWithoutEtcd({ cluster }: Deployment, voters: Voters): void {
  if (hostsWithRole(cluster, 'etcd').length === 0) {
    throw new KbinError(`no host of cluster ${cluster.name} has the role etcd`, {
      step: 'ask etcd',
      why: 'the apiservers keep their state in the etcd of this cluster',
      next: 'Give the role to one, three or five hosts in cluster.yaml, and run `kbin etcd deploy`.',
    });
  }
  if (!isQuorum(voters.healthy.length, voters.total)) throw notHealthy(voters);
  const strangers = outsiders(voters);
  if (strangers.length === 0) return;
  throw new KbinError(`etcd on ${strangers.join(', ')} is not a member of the cluster yet`, {
    step: 'ask etcd, nothing was changed',
    why: 'cluster.yaml names it, and every apiserver would be told to use it',
    next: 'Run `kbin etcd deploy` first.',
  });
}

function notHealthy(voters: Voters): KbinError {
  const everybodyRefuses = voters.readings.every(({ failure }) => failure?.code === 'refused');
  return new KbinError('etcd is not healthy, and no apiserver comes up without it', {
    step: 'ask etcd, nothing was changed',
    why: describe(voters.readings),
    next: everybodyRefuses
      ? 'Run `kbin etcd deploy` first.'
      : 'See `kbin etcd status` for what is wrong; `kbin etcd deploy` starts members that are down.',
  });
}

/** Hosts of cluster.yaml that the running cluster does not list. Pure. */
export function outsiders({ healthy, readings }: Voters): string[] {
  const listed = healthy[0]?.members?.flatMap(({ peerUrls }) => peerUrls);
  if (listed === undefined) return [];
  return readings
    .filter(({ status }) => status === undefined)
    .filter(({ target }) => target.expected?.peerUrls.every((url) => !listed.includes(url)) === true)
    .map(({ target }) => target.name);
}
