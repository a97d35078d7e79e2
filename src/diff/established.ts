import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import { flagValues } from '../desired/flag-values.ts';
import type { PlanFinding } from './changes.ts';
import type { HostSides } from './preflight.ts';

/** A setting that objects in etcd or clients in the cluster were made with, and that does not change without them. */
interface Established {
  readonly component: ControlPlaneComponent;
  readonly flag: string;
  readonly severity: PlanFinding['severity'];
  readonly code: string;
  readonly why: string;
  readonly next: string;
}

const established: readonly Established[] = [
  {
    component: 'kube-apiserver',
    flag: 'service-cluster-ip-range',
    severity: 'stop',
    code: 'service-cidr-changed',
    why: 'every Service keeps the address it has, `kubernetes` with it, which clients inside the cluster use and which the new certificates do not hold',
    next: 'set `kubernetes.serviceCidr` back; from Kubernetes 1.33 on a ServiceCIDR object adds addresses',
  },
  {
    component: 'kube-apiserver',
    flag: 'service-account-issuer',
    severity: 'stop',
    code: 'issuer-changed',
    why: 'the service-account tokens that are out there name their issuer, and would be refused',
    next: 'set `kubernetes.dnsDomain` back, or keep the old one: `kubernetes.apiserver.flags.service-account-issuer: OLD`; or name both, `[NEW, OLD]` (Kubernetes 1.22 and newer), until no token of the old one lives',
  },
  {
    component: 'kube-controller-manager',
    flag: 'cluster-cidr',
    severity: 'warning',
    code: 'pod-cidr-changed',
    why: 'nodes keep the part of the former one that they were given, and pods on them their addresses',
    next: 'set `kubernetes.podCidr` back, or drain and register every node anew after the deploy',
  },
];

/** What runs was started with another value than it is to have, where that is more than a restart. Pure. */
export function establishedSettings(hosts: readonly HostSides[]): PlanFinding[] {
  return established.flatMap(({ component, flag, severity, code, why, next }) => {
    const changed = hosts.flatMap(({ desired, observed }) => {
      const unit = desired.components.find(({ name }) => name === component)?.unit;
      const running = unit && observed.units.get(unit.name)?.process;
      if (running === undefined || unit === undefined) return [];
      const { process: wanted } = unit;
      const now = flagValues(running.argv, flag);
      const then = flagValues(wanted.argv, flag);
      return now.some((value) => !then.includes(value))
        ? [`${now.join(', ')} becomes ${then.join(', ')}`]
        : [];
    });
    const [first] = changed;
    return first === undefined ? [] : [{ severity, code, message: `--${flag} ${first}: ${why}`, next }];
  });
}
