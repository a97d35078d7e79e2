import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import type { PlannedCluster } from '../diff/plan.ts';
import type { HostProof } from './rotations.ts';

/**
 * By the files on each host and by what the processes that run there were started with: a deploy would find nothing to do
 * to them.
 */
export function componentProofs(
  { plan }: PlannedCluster,
  hosts: readonly string[],
  components: readonly ControlPlaneComponent[],
): readonly HostProof[] {
  return hosts.map((host) => {
    const silent = plan.unreachable.find((one) => one.host === host);
    if (silent !== undefined)
      return { host, proven: false, reached: false, says: `does not answer: ${silent.reason}` };
    const outstanding = components.flatMap((component) => {
      const own = plan.hosts.find((one) => one.host === host && one.component === component);
      const [change] = own?.changes ?? [];
      if (own === undefined) return [`${component} is not planned there`];
      return change === undefined ? [] : [`${component}: ${change.target} ${change.reason}`];
    });
    return {
      host,
      proven: outstanding.length === 0,
      says: outstanding.length === 0 ? `${components.join(' and ')} run with it` : outstanding.join('; '),
    };
  });
}
