import type { Architecture } from '../cluster/cluster.ts';
import type { Binaries } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { EtcdClientReading } from '../diff/etcd-clients.ts';
import type { MembershipDecision } from '../diff/etcd-membership.ts';
import type { MemberReading } from '../health/live.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import { type Deployment, workOf } from './deployment.ts';
import { type EtcdPlan, etcdPlan, type PlannedMember } from './etcd-plan.ts';
import type { DecidedMember } from './etcd-rollout.ts';
import type { Rollout } from './rollout.ts';
import type { Survey } from './survey.ts';

export interface EtcdDeployment extends Deployment {
  readonly store: Deployment['store'] & { recordEtcdClusterId(id: string): Promise<void> };
}

/** A deployment under way: the hosts are open and were looked at. */
export interface EtcdRun {
  readonly deployment: EtcdDeployment;
  readonly survey: Survey;
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
  readonly etcdClients: readonly EtcdClientReading[];
}

export function planOf(run: EtcdRun, readings: readonly MemberReading[]): EtcdPlan {
  const { deployment, survey, store, binaries, etcdClients } = run;
  const { cluster, skipHosts } = deployment;
  const now = deployment.now();
  return etcdPlan({ cluster, survey, skipped: skipHosts, readings, etcdClients, store, binaries, now });
}

export function memberOf(
  { targets }: EtcdRun,
  { surveyed, decision, task }: PlannedMember,
  { live }: MembershipDecision,
): DecidedMember {
  const target = targets.find(({ name }) => name === decision.host);
  if (target === undefined) throw new Error(`no target for ${decision.host}`);
  const { host, action, memberId } = decision;
  const listed = live?.members.find(({ id }) => id === memberId);
  return {
    name: host,
    host: surveyed.host,
    target,
    task,
    action,
    isLearner: listed?.isLearner === true,
    ...(memberId === undefined ? {} : { memberId }),
  };
}

export function rolloutOf(
  { deployment, targets, credentials }: EtcdRun,
  clusterId: string | undefined,
): Rollout {
  return {
    ...workOf(deployment),
    targets,
    credentials,
    ...(clusterId === undefined ? {} : { clusterId }),
  };
}
