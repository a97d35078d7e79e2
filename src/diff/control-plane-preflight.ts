import type { Cluster } from '../cluster/cluster.ts';
import type { PlanFinding } from './changes.ts';
import type { ApiserverReading } from './control-plane-view.ts';
import { foreignControlPlane } from './foreign.ts';
import type { HostSides } from './preflight.ts';
import { versionSkew } from './version-skew.ts';

/** What should be known of the control plane before anything is done to it; pure, all findings at once. */
export function controlPlanePreflight(
  cluster: Cluster,
  hosts: readonly HostSides[],
  apiservers: readonly ApiserverReading[],
): PlanFinding[] {
  return [...foreignControlPlane(hosts), ...versionSkew(cluster, hosts, apiservers)];
}
