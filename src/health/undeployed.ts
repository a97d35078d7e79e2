import type { Cluster } from '../cluster/cluster.ts';
import type { Check, ControlPlaneHealth } from './check.ts';
import { etcdPrefixOf } from './control-plane-subject.ts';
import { openMember } from './etcd-client.ts';
import type { EtcdCredentials, EtcdTarget } from './target.ts';

/**
 * Whether a control plane that is wanted was simply never deployed, as far as its ports and etcd tell: nothing listens
 * anywhere, every host says so itself, and etcd holds nothing of Kubernetes. Asks etcd only where that is in question.
 */
export async function neverDeployed(
  { hosts }: ControlPlaneHealth,
  cluster: Cluster,
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  deadlineMs: number,
): Promise<boolean> {
  const silent = hosts.every(({ apiserver, controllerManager, scheduler }) =>
    [apiserver, controllerManager, scheduler].every(({ nothingListens }) => nothingListens === true),
  );
  if (!silent) return false;
  const prefix = etcdPrefixOf(cluster);
  for (const target of targets) {
    const client = await openMember(target, credentials, deadlineMs);
    try {
      return !(await client.hasKeysBelow(`${prefix}/`));
    } catch {
      // Another member may tell.
    } finally {
      await client.close();
    }
  }
  return false;
}

/** What a report says then, instead of everything that is not there. */
export const notDeployed: Check = {
  id: 'control-plane-not-deployed',
  status: 'warn',
  message:
    'cluster.yaml wants a control plane, and there is none yet: no host has anything of it, nor has etcd',
  next: 'run `kbin control-plane deploy`',
};
