import { type Cluster, type ControlPlaneComponent, controlPlaneComponents } from '../../cluster/cluster.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { apiserverSettings } from './kube-apiserver-settings.ts';
import { controllerManagerSettings } from './kube-controller-manager-settings.ts';
import { schedulerSettings } from './kube-scheduler-settings.ts';
import type { KubeSetting } from './kube-setting.ts';

export interface FlagMistake {
  readonly component: ControlPlaneComponent;
  readonly flag: string;
  readonly why: string;
}

export interface FlagCheck {
  /** These would break kbin's wiring, or the component would not start: nothing is deployed with them. */
  readonly refused: readonly FlagMistake[];
  /** The chosen release does not have these: they are left out. */
  readonly unknown: readonly FlagMistake[];
}

const settings: Readonly<Record<ControlPlaneComponent, readonly KubeSetting[]>> = {
  'kube-apiserver': apiserverSettings,
  'kube-controller-manager': controllerManagerSettings,
  'kube-scheduler': schedulerSettings,
};

/** Looks at the `flags` of cluster.yaml. Pure; src/diff makes findings of it, desire() refuses. */
export function checkKubernetesFlags(cluster: Cluster): FlagCheck {
  const refused = controlPlaneComponents.flatMap((component) =>
    Object.entries(cluster.kubernetes.components[component].flags).flatMap(([flag, values]) => {
      const why = refusal(component, flag, values);
      return why === undefined ? [] : [{ component, flag, why }];
    }),
  );
  return { refused, unknown: [] };
}

function refusal(
  component: ControlPlaneComponent,
  flag: string,
  values: readonly string[],
): string | undefined {
  const wiring = settings[component].find((setting) => setting.flag === flag)?.wiring;
  return typeof wiring === 'function' ? wiring(values) : wiring;
}

/** Throws KbinError with all that one component's flags may not be. */
export function refuseFlags(cluster: Cluster, component: ControlPlaneComponent): void {
  const refused = checkKubernetesFlags(cluster).refused.filter((mistake) => mistake.component === component);
  if (refused.length === 0) return;
  throw new KbinError(
    `the flags of ${component} set what kbin cannot let them set\n${refused.map(({ flag, why }) => `${flag}: ${why}`).join('\n')}`,
    { step: `${component}.service`, next: 'take these out of cluster.yaml', exit: exitCode.usage },
  );
}
