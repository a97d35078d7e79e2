import { isIP } from 'node:net';
import { type Cluster, type ControlPlaneComponent, hostsWithRole } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';
import { dialThrough } from './dial.ts';
import type { Dial } from './target.ts';

export type ListeningComponent = Exclude<ControlPlaneComponent, 'kube-apiserver'>;

/** A controller-manager or scheduler as it is asked for: it listens on its host's loopback, so the way is SSH. */
export interface ComponentTarget {
  /** Host name of cluster.yaml. */
  readonly name: string;
  readonly component: ListeningComponent;
  readonly address: string;
  readonly port: number;
  readonly dial?: Dial;
}

export const defaultPorts: Readonly<Record<ListeningComponent, number>> = {
  'kube-controller-manager': 10257,
  'kube-scheduler': 10259,
};

/** Both of them on every control-plane host, in the order of cluster.yaml; where the user's flags have them listen. */
export function componentTargets(cluster: Cluster, connect: Connect): readonly ComponentTarget[] {
  return hostsWithRole(cluster, 'control-plane').flatMap(({ name }) =>
    (Object.keys(defaultPorts) as ListeningComponent[]).map((component) => {
      const { flags } = cluster.kubernetes.components[component];
      const port = Number(flags['secure-port']?.at(-1) ?? defaultPorts[component]);
      return {
        name,
        component,
        address: reachable(flags['bind-address']?.at(-1)),
        port,
        dial: dialThrough(() => connect(name)),
      };
    }),
  );
}

/** Where on the host itself a listener with this bind-address is to be had. */
function reachable(bindAddress: string | undefined): string {
  if (bindAddress === undefined || isIP(bindAddress) === 0) return '127.0.0.1';
  if (/^[0.]+$/.test(bindAddress)) return '127.0.0.1';
  return /^[0:]+$/.test(bindAddress) ? '::1' : bindAddress;
}
