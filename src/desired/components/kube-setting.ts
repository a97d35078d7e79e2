import type { Cluster, ClusterHost, ControlPlaneComponent } from '../../cluster/cluster.ts';
import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import type { StoreView } from '../store-view.ts';
import { knowsFlag } from './kube-flags.ts';

/** What a flag's value may depend on. */
export interface Placed {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  readonly version: Version;
  readonly store: StoreView;
}

/** A flag that kbin sets. */
export interface KubeSetting {
  /** Without the dashes. */
  readonly flag: string;
  /** Several where the flag is given several times; undefined: not set here. */
  readonly value: (placed: Placed) => string | readonly string[] | undefined;
  /** The value has in it what cluster.yaml says, instead of giving way to it. */
  readonly combines?: true;
  /** Minors between which kbin sets it, where that is less than what the program knows (kube-flags.ts). */
  readonly since?: string;
  readonly until?: string;
  /** Why `flags` of cluster.yaml may not set it, or not to these values; undefined when it may. */
  readonly wiring?: string | ((values: readonly string[]) => string | undefined);
}

/**
 * `--flag=value`: kbin's, with those of cluster.yaml over them, and after them the further ones of cluster.yaml. What the
 * release does not know is left out, whoever set it: the program would not start (checkKubernetesFlags tells of it).
 */
export function flagWords(
  component: ControlPlaneComponent,
  settings: readonly KubeSetting[],
  placed: Placed,
): string[] {
  const { flags } = placed.cluster.kubernetes.components[component];
  const own = settings.map((setting): [string, string | readonly string[] | undefined] => {
    const value = isSet(setting, placed.version) ? setting.value(placed) : undefined;
    return [setting.flag, setting.combines ? value : (flags[setting.flag] ?? value)];
  });
  const further = Object.entries(flags).filter(
    ([flag]) => !settings.some((setting) => setting.flag === flag),
  );
  return [...own, ...further]
    .filter(([flag]) => knowsFlag(component, flag, placed.version))
    .flatMap(([flag, values]) => words(flag, values));
}

function isSet({ since, until }: KubeSetting, version: Version): boolean {
  return (
    (since === undefined || compareMinors(version, versionOf(`${since}.0`)) >= 0) &&
    (until === undefined || compareMinors(version, versionOf(`${until}.0`)) <= 0)
  );
}

function words(flag: string, values: string | readonly string[] | undefined): string[] {
  if (values === undefined) return [];
  return (typeof values === 'string' ? [values] : values).map((value) => `--${flag}=${value}`);
}
