import { type Cluster, controlPlaneComponents } from '../../cluster/cluster.ts';
import { componentsOf } from '../../desired/desire.ts';
import type { Plan } from '../../diff/changes.ts';
import type { DeployName } from '../deploy-kinds.ts';
import type { HostProof } from './rotations.ts';

/** What these deploys would have to do on a host: with nothing left, its files and processes are as the store has it. */
export interface Outstanding {
  /** It has something that one of the deploys brings. */
  readonly isConcerned: boolean;
  /** Names of the components that they bring. */
  readonly components: readonly string[];
  readonly shortcomings: readonly string[];
  /** Why the host could not be looked at. */
  readonly unreached?: string;
}

const broughtBy: Readonly<Record<DeployName, readonly string[]>> = {
  etcd: ['etcd'],
  'control-plane': controlPlaneComponents,
};

export function outstanding(
  cluster: Cluster,
  deploys: readonly DeployName[],
  host: string,
  { hosts, unreachable, findings }: Plan,
): Outstanding {
  const clusterHost = cluster.hosts.find(({ name }) => name === host);
  const brought = deploys.flatMap((deploy) => broughtBy[deploy]);
  const components = (clusterHost === undefined ? [] : componentsOf(cluster, clusterHost))
    .map(({ name }) => name)
    .filter((name) => brought.includes(name));
  const open = hosts.filter((one) => one.host === host && components.includes(one.component));
  const stops = findings.filter((one) => one.severity === 'stop' && (one.host ?? host) === host);
  const unreached = unreachable.find((one) => one.host === host)?.reason;
  return {
    isConcerned: components.length > 0,
    components,
    shortcomings: [
      ...open.flatMap(({ component, changes }) =>
        changes.length === 0
          ? []
          : [
              `${component}: ${changes.map(({ action, target, reason }) => `${action} ${target} (${reason})`).join(', ')}`,
            ],
      ),
      ...stops.map(({ message }) => message),
    ],
    ...(unreached === undefined ? {} : { unreached }),
  };
}

/** `wire`: what is not as it should be there. `proven`: what to say where nothing is amiss. */
export function hostProof(
  host: string,
  { shortcomings, unreached }: Outstanding,
  wire: readonly string[],
  { seen, phase, proven }: { readonly seen?: string; readonly phase?: number; readonly proven: string },
): HostProof {
  if (unreached !== undefined) return { host, proven: false, reached: false, says: unreached };
  const amiss = [...shortcomings, ...wire];
  const says = [...(seen === undefined ? [] : [seen]), ...(amiss.length === 0 ? [proven] : amiss)];
  return {
    host,
    proven: amiss.length === 0,
    says: says.join('; '),
    ...(phase === undefined ? {} : { phase }),
  };
}
