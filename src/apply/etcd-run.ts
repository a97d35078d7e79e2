import type { Progress } from '../cli/io.ts';
import type { Architecture, Cluster } from '../cluster/cluster.ts';
import type { Binaries } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { MembershipDecision } from '../diff/etcd-membership.ts';
import type { MemberReading } from '../health/live.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { Connect } from '../remote/host.ts';
import { type EtcdPlan, etcdPlan, type PlannedMember } from './etcd-plan.ts';
import type { DecidedMember } from './etcd-rollout.ts';
import type { Operator } from './lock.ts';
import type { Rollout } from './rollout.ts';
import type { Survey } from './survey.ts';

/** What is needed of src/ca's Store here. */
export interface DeployStore {
  view(): StoreView;
  readSecret(ref: string): Promise<Uint8Array>;
  recordEtcdClusterId(id: string): Promise<void>;
}

export interface EtcdDeployment {
  readonly cluster: Cluster;
  readonly store: DeployStore;
  readonly connect: Connect;
  /** Name → binary of `etcd.version` for an architecture. */
  readonly binaries: (architecture: Architecture) => Promise<Binaries>;
  readonly operator: Operator;
  readonly progress: Progress;
  readonly allowDowntime: boolean;
  /** Names of hosts to leave out; membership is then left alone. */
  readonly skipHosts: readonly string[];
  /** Seconds that a member may take to become healthy. */
  readonly within: number;
  readonly signal?: AbortSignal;
  /** The operator's clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** A deployment under way: the hosts are open and were looked at. */
export interface EtcdRun {
  readonly deployment: EtcdDeployment;
  readonly survey: Survey;
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
}

export function planOf(run: EtcdRun, readings: readonly MemberReading[]): EtcdPlan {
  const { deployment, survey, store, binaries } = run;
  const { cluster, skipHosts } = deployment;
  return etcdPlan({ cluster, survey, skipped: skipHosts, readings, store, binaries });
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
  const { progress, allowDowntime, within, cluster, signal, store } = deployment;
  return {
    targets,
    credentials,
    readSecret: (ref) => store.readSecret(ref),
    progress,
    allowDowntime,
    within,
    parallel: cluster.ssh.parallel,
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(signal === undefined ? {} : { signal }),
  };
}
