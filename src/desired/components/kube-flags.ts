import type { ControlPlaneComponent } from '../../cluster/cluster.ts';
import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import { apiserverLives } from './kube-flags-apiserver.ts';
import { controllerManagerLives } from './kube-flags-controller-manager.ts';
import { schedulerLives } from './kube-flags-scheduler.ts';

/**
 * A group of flags that came and went together. Kubernetes takes flags in and out by minors; an unknown one stops the
 * component, so kbin has to know.
 */
export interface FlagLife {
  /** First minor that knows them. Default 1.20. */
  readonly since?: string;
  /** Last minor that knows them. Default: still there. */
  readonly until?: string;
  readonly flags: string;
}

const lives: Readonly<Record<ControlPlaneComponent, ReadonlyMap<string, FlagLife>>> = {
  'kube-apiserver': byFlag(apiserverLives),
  'kube-controller-manager': byFlag(controllerManagerLives),
  'kube-scheduler': byFlag(schedulerLives),
};

/** Whether that release's component takes `--FLAG`. Deprecated and hidden flags count: they are taken. */
export function knowsFlag(component: ControlPlaneComponent, flag: string, version: Version): boolean {
  const life = lives[component].get(flag);
  return life !== undefined && isAlive(life, version);
}

/** All flags that a release's component takes, without dashes, sorted. */
export function flagsOf(component: ControlPlaneComponent, version: Version): string[] {
  return [...lives[component].keys()].filter((flag) => knowsFlag(component, flag, version)).sort();
}

/** When it exists in other releases only: `until 1.23`, `from 1.29 on`. undefined for a flag nobody knows. */
export function lifeText(component: ControlPlaneComponent, flag: string): string | undefined {
  const life = lives[component].get(flag);
  if (life === undefined) return undefined;
  const { since, until } = life;
  return [
    ...(since === undefined ? [] : [`from ${since} on`]),
    ...(until === undefined ? [] : [`until ${until}`]),
  ].join(', ');
}

function isAlive({ since = '1.20', until }: FlagLife, version: Version): boolean {
  return (
    compareMinors(version, versionOf(`${since}.0`)) >= 0 &&
    (until === undefined || compareMinors(version, versionOf(`${until}.0`)) <= 0)
  );
}

function byFlag(groups: readonly FlagLife[]): ReadonlyMap<string, FlagLife> {
  return new Map(groups.flatMap((life) => life.flags.split(/\s+/).map((flag) => [flag, life] as const)));
}
