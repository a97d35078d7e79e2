import { setTimeout as sleep } from 'node:timers/promises';
import { hostsWithRole } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import { describe, healthyVoters, type Voters } from '../health/gates.ts';
import { isQuorum } from '../health/quorum.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { Deployment } from './deployment.ts';

/** Seconds that an etcd without quorum is asked again: one that is busy, or just elects a leader, is no reason to stop. */
const patience = 15;

/**
 * Who is healthy, and where that is no quorum, again for a while; not where nothing listens anywhere, since then there is
 * no etcd yet.
 */
export async function findVoters(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
): Promise<Voters> {
  const end = performance.now() + patience * 1000;
  for (;;) {
    const voters = await healthyVoters(targets, credentials);
    const over = isQuorum(voters.healthy.length, voters.total) || nobodyListens(voters);
    if (over || performance.now() > end) return voters;
    await sleep(500);
  }
}

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
  return new KbinError('etcd is not healthy, and no apiserver comes up without it', {
    step: 'ask etcd, nothing was changed',
    why: describe(voters.readings),
    next: nobodyListens(voters)
      ? 'Run `kbin etcd deploy` first.'
      : 'See `kbin etcd status` for what is wrong; `kbin etcd deploy` starts members that are down.',
  });
}

function nobodyListens({ readings }: Voters): boolean {
  return readings.every(({ failure }) => failure?.code === 'refused');
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
