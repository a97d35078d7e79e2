import { type Cluster, controlPlaneComponents, hostsWithRole } from '../cluster/cluster.ts';
import { checkKubernetesFlags } from '../desired/components/kube-overrides.ts';
import type { PlanFinding, UnreachableHost } from './changes.ts';
import type { ApiserverReading } from './control-plane-view.ts';
import { encryption } from './encryption.ts';
import { establishedSettings } from './established.ts';
import { foreignControlPlane } from './foreign.ts';
import { isComparable } from './paths.ts';
import type { HostSides } from './preflight.ts';
import { type TakeOver, takeOver } from './take-over.ts';
import { versionSkew } from './version-skew.ts';

/** What should be known of the control plane before anything is done to it; pure, all findings at once. */
export function controlPlanePreflight(
  cluster: Cluster,
  hosts: readonly HostSides[],
  unreachable: readonly UnreachableHost[],
  apiservers: readonly ApiserverReading[],
  /** Where units of others are to be replaced. */
  takingOver?: TakeOver,
): PlanFinding[] {
  const names = hostsWithRole(cluster, 'control-plane').map(({ name }) => name);
  return [
    ...(isAbout(hosts) ? unknownFlags(cluster) : []),
    ...foreignControlPlane(hosts, takingOver !== undefined),
    ...(takingOver === undefined ? [] : takeOver(hosts, takingOver)),
    ...versionSkew(cluster, hosts, apiservers),
    ...establishedSettings(hosts),
    ...encryption(
      hosts,
      unreachable.filter(({ host }) => names.includes(host)),
      takingOver?.readings,
    ),
    ...notCompared(hosts),
  ];
}

/** Whether any of it is to be brought to a host; a plan may be about etcd alone. */
function isAbout(hosts: readonly HostSides[]): boolean {
  return hosts.some(({ desired }) =>
    desired.components.some(({ name }) => controlPlaneComponents.some((component) => component === name)),
  );
}

function unknownFlags(cluster: Cluster): PlanFinding[] {
  return checkKubernetesFlags(cluster).unknown.map(({ component, flag, why }) => ({
    severity: 'warning',
    code: 'unknown-flag',
    message: `${flag} is set for ${component}, and left out: ${why}`,
    next: 'take it out of cluster.yaml, or correct its name',
  }));
}

/** Where the private keys are not, a file with one in it is known by the folder that it lies in, if by anything. */
function notCompared(hosts: readonly HostSides[]): PlanFinding[] {
  const isThere = hosts.some(({ desired, observed }) =>
    desired.components.some(({ files, bundles }) =>
      [
        ...files.map(({ path, content }) => ({ path, content })),
        ...bundles.flatMap((bundle) =>
          bundle.files.map(({ path, content }) => ({ path: `${bundle.path}/${path}`, content })),
        ),
      ].some(({ path, content }) => !isComparable(content) && observed.paths.has(path)),
    ),
  );
  if (!isThere) return [];
  const what = 'the kubeconfigs and encryption configurations on the hosts were not compared';
  return [
    {
      severity: 'warning',
      code: 'secrets-not-compared',
      message: `${what}: the private keys in them are not here`,
      next: 'work on the machine that has the pki folder with its keys',
      gap: { what, incomplete: false },
    },
  ];
}
