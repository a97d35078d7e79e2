import { type Architecture, controlPlaneComponents } from '../cluster/cluster.ts';
import type { Binaries, DesireInputs } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { FormerReading } from '../diff/former.ts';
import type { ApiCredentials, ApiTarget } from '../health/api-target.ts';
import type { ComponentTarget } from '../health/component-target.ts';
import type { Deployment } from './deployment.ts';
import type { Survey } from './survey.ts';

/** A deploy of the control plane under way: the hosts are open and were looked at. */
export interface ControlPlaneRun {
  readonly deployment: Deployment;
  readonly survey: Survey;
  /** All apiservers that cluster.yaml names, left out or not. */
  readonly apiservers: readonly ApiTarget[];
  /** All controller-managers and schedulers. */
  readonly others: readonly ComponentTarget[];
  readonly credentials: ApiCredentials;
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
  /** Units of others are to be replaced: what their files say. */
  readonly formers?: readonly FormerReading[];
}

/** What this deploy speaks of; etcd on the same hosts is `kbin etcd deploy`'s. */
export function controlPlaneInputs(store: StoreView, binaries: Binaries | undefined): DesireInputs {
  return { store, only: controlPlaneComponents, ...(binaries === undefined ? {} : { binaries }) };
}

/** The target with that name. */
export function targetOf<T extends { readonly name: string }>(targets: readonly T[], name: string): T {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target for ${name}`);
  return target;
}
