import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import { controlPlaneComponents } from '../cluster/cluster.ts';
import { type DesiredComponent, staticPodPath } from '../desired/desired.ts';
import type { Observed } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import type { HostSides } from './preflight.ts';

/**
 * A control plane that somebody else has set up on the host: kbin does not take it over silently. Its certificates, its
 * encryption key and its accounts may be others than ours, and then what is in etcd would be lost on it.
 */
export function foreignControlPlane(hosts: readonly HostSides[], isTakenOver = false): PlanFinding[] {
  return hosts.flatMap((side) => [
    ...side.desired.components.flatMap((component) => staticPod(side, component)),
    ...(isTakenOver ? [] : foreignUnits(side)),
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

function foreignUnits({ host, desired, observed }: HostSides): PlanFinding[] {
  const units = desired.components
    .filter(
      (component) =>
        isControlPlane(component) && isForeign(observed, component.unit.name, unitPath(component)),
    )
    .map(({ unit }) => unit.name);
  if (units.length === 0) return [];
  const names = units.join(' ');
  const are = units.length === 1 ? 'is there already, and is' : 'are there already, and are';
  return [
    {
      severity: 'stop',
      host: host.name,
      code: 'foreign-unit',
      message: `${units.join(', ')} ${are} not kbin's: another control plane was installed on this host`,
      next: `see what it is (\`systemctl cat ${names}\`). To go on with that cluster: \`kbin pki adopt\` its certificates and keys, see \`kbin plan --take-over\`, then \`kbin control-plane deploy --take-over\`. Where it is given up: \`systemctl disable --now ${names}\`, move the files away, \`systemctl daemon-reload\``,
    },
  ];
}

/** Whether the host has a unit of that name which kbin did not write, or a process that runs of one. */
export function isForeign({ units, paths }: Observed, name: string, path: string): boolean {
  const seen = units.get(name);
  if (seen === undefined || seen.loadState !== 'loaded' || seen.runningInputs !== undefined) return false;
  const file = paths.get(path);
  if (file?.text?.includes('KBIN_INPUTS=') === true) return false;
  // Its file was removed, and systemd only has not noticed.
  return !(file === undefined && seen.needDaemonReload && seen.mainPid === 0);
}

/** Where kbin has the component's unit. */
export function unitPath({ unit, files }: Pick<DesiredComponent, 'unit' | 'files'>): string {
  return files.find(({ path }) => path.endsWith(`/${unit.name}`))?.path ?? '';
}
