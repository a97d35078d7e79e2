import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import { controlPlaneComponents } from '../cluster/cluster.ts';
import { type DesiredComponent, staticPodPath } from '../desired/desired.ts';

import type { PlanFinding } from './changes.ts';
import type { HostSides } from './preflight.ts';

/**
 * A control plane that somebody else has set up on the host: kbin does not take it over silently. Its certificates, its
 * encryption key and its accounts may be others than ours, and then what is in etcd would be lost on it.
 */
export function foreignControlPlane(hosts: readonly HostSides[]): PlanFinding[] {
  return hosts.flatMap((side) => [
    ...side.desired.components.flatMap((component) => staticPod(side, component)),
    ...side.desired.components.filter(isControlPlane).flatMap((component) => foreignUnit(side, component)),
  ]);
}

function isControlPlane({ name }: DesiredComponent): boolean {
  return controlPlaneComponents.includes(name as ControlPlaneComponent);
}

/** As kubeadm leaves it; the kubelet starts it whatever systemd does. */
function staticPod({ host, observed }: HostSides, { name }: DesiredComponent): PlanFinding[] {
  const path = staticPodPath(name);
  if (!observed.paths.has(path)) return [];
  return [
    {
      severity: 'stop',
      host: host.name,
      code: 'static-pod',
      message: `${path} is there: the kubelet of this host runs ${name} as a static pod, as kubeadm sets it up`,
      next: 'use a host without it; or, where that cluster is given up, `kubeadm reset` there first',
    },
  ];
}

function foreignUnit({ host, observed }: HostSides, { name, unit, files }: DesiredComponent): PlanFinding[] {
  const seen = observed.units.get(unit.name);
  if (seen === undefined || seen.loadState !== 'loaded' || seen.runningInputs !== undefined) return [];
  const file = observed.paths.get(files.find(({ path }) => path.endsWith(`/${unit.name}`))?.path ?? '');
  if (file?.text?.includes('KBIN_INPUTS=') === true) return [];
  // Its file was removed, and systemd only has not noticed.
  if (file === undefined && seen.needDaemonReload && seen.mainPid === 0) return [];
  return [
    {
      severity: 'stop',
      host: host.name,
      code: 'foreign-unit',
      message: `${unit.name} is there already, and is not kbin's: another ${name} was installed on this host`,
      next: `see what it is (\`systemctl cat ${unit.name}\`); kbin takes the host when that unit is gone: \`systemctl disable --now ${unit.name}\`, move its file away, \`systemctl daemon-reload\``,
    },
  ];
}
