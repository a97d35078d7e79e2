import type { ClusterHost } from '../cluster/cluster.ts';
import { type Binaries, type DesireInputs, requireCertificates } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import { isEmpty, type Plan } from '../diff/changes.ts';
import { type EtcdHealth, isHealthy } from '../health/check.ts';
import { etcdHealth, examineEtcd } from '../health/etcd.ts';
import { type MemberReading, readAgain } from '../health/live.ts';
import { etcdCredentials, etcdTargetsEitherWay, withFormerEndpoints } from '../health/of-cluster.ts';
import { shareConnections } from '../remote/share.ts';
import { awaitedLater, binariesFor } from './deployment.ts';
import { readEtcdClients } from './etcd-clients.ts';
import { joinNewMembers } from './etcd-joins.ts';
import { type DecidedMember, rollOut } from './etcd-rollout.ts';
import { type EtcdDeployment, type EtcdRun, memberOf, planOf, rolloutOf } from './etcd-run.ts';
import { refuseFindings, refuseUnreachable } from './refusals.ts';
import { type Rollout, settle } from './rollout.ts';
import { hostsOfRun, observedBy, survey } from './survey.ts';
import { withoutRestart } from './wake.ts';
import { onAll } from './work.ts';

export type { EtcdDeployment } from './etcd-run.ts';

export interface EtcdDeployReport {
  /** What had to be done when the run began; it is done now. Empty: nothing was changed or restarted. */
  readonly plan: Plan;
  readonly bootstrapped: boolean;
  readonly joined: readonly string[];
  readonly skipped: readonly string[];
  readonly clusterId?: string;
  readonly health: EtcdHealth;
}

/**
 * Makes every etcd member what cluster.yaml says, in safe steps, and proves that the cluster is healthy. Throws KbinError
 * where it must stop; whatever was done by then is complete in itself, and the next call carries on.
 */
export async function deployEtcd(deployment: EtcdDeployment): Promise<EtcdDeployReport> {
  const { cluster, store, progress } = deployment;
  const view = store.view();
  requireCertificates(cluster, view, ['etcd']);
  const hosts = hostsOfRun(cluster, 'etcd', deployment.skipHosts);
  const credentials = await etcdCredentials(store);
  const connections = shareConnections(deployment.connect);
  const names = hosts.map(({ name }) => name);
  const targets = etcdTargetsEitherWay(cluster, connections.connect, names);
  const binaries = awaitedLater(binariesFor(deployment.binaries, hosts));
  const inputs = awaitedLater(
    binaries.then((found) => (host: ClusterHost) => desireInputs(view, found.get(host.architecture))),
  );
  // Asked at the same time as the hosts are looked at: on a cluster that is as wanted, this is the whole run.
  const { readings, health } = examineEtcd(targets, credentials);
  awaitedLater(readings);
  awaitedLater(health);
  try {
    const looked = await survey({
      cluster,
      hosts,
      connect: connections.connect,
      inputs,
      operator: deployment.operator,
      now: deployment.now,
      onStep: progress.step,
    });
    refuseUnreachable(looked, 'membership then stays as it is');
    const reached = withFormerEndpoints(targets, cluster, observedBy(looked));
    const run = { deployment, survey: looked, targets: reached, credentials, store: view };
    const etcdClients = await readEtcdClients(cluster, view, looked, connections.connect);
    const first = await readings;
    const asked = await readAgain(first, reached, credentials);
    return await carryOut(
      { ...run, etcdClients, binaries: await binaries },
      asked,
      asked === first ? () => health : undefined,
    );
  } finally {
    await connections.close();
    progress.end();
  }
}

async function carryOut(
  run: EtcdRun,
  readings: readonly MemberReading[],
  before: () => Promise<EtcdHealth> = () => etcdHealth(run.targets, run.credentials),
): Promise<EtcdDeployReport> {
  const { deployment } = run;
  const { plan, membership, members: planned } = planOf(run, readings);
  refuseFindings(deployment.progress, plan.findings);
  const rollout = rolloutOf(run, membership.live?.clusterId);
  const members = planned.map((member) => memberOf(run, member, membership));
  for (const { name } of members.filter(isRight)) deployment.progress.done(name, 'nothing to do');
  const record = recorder(deployment.store);
  const { clusterId, spared } = await rollOut(rollout, members, record);
  if (clusterId !== undefined) await record(clusterId);
  await settleKept(rollout, members, readings);
  const joined = await joinLater(run, members);
  return {
    plan: {
      ...plan,
      hosts: plan.hosts.map((one) => (spared.includes(one.host) ? withoutRestart(one) : one)),
    },
    bootstrapped: members.some(({ action }) => action === 'bootstrap'),
    joined,
    skipped: deployment.skipHosts,
    ...(clusterId === undefined ? {} : { clusterId }),
    health: await provenHealth(run, isEmpty(plan) && joined.length === 0 ? await before() : undefined),
  };
}

/** What was seen at the start will do where all was well and nothing was done since; members may just have been starting. */
async function provenHealth(
  { targets, credentials }: EtcdRun,
  before: EtcdHealth | undefined,
): Promise<EtcdHealth> {
  if (before !== undefined && isHealthy(before.checks)) return before;
  return etcdHealth(targets, credentials);
}

function isRight({ action, task }: DecidedMember): boolean {
  return action === 'keep' && task.plan.changes.length === 0;
}

/** Members that were right all along may still lack the marker, or hold leftovers of a run that was cut off. */
async function settleKept(
  rollout: Rollout,
  members: readonly DecidedMember[],
  readings: readonly MemberReading[],
): Promise<void> {
  const kept = members.filter(isRight);
  await onAll(rollout, kept, async (member) => {
    const reading = readings.find(({ target }) => target.name === member.name);
    if (reading?.quorum === true) await settle(rollout, member, reading);
  });
}

/** With a host left out nobody joins: the member list is changed only when all that are in it can be seen. */
async function joinLater(run: EtcdRun, members: readonly DecidedMember[]): Promise<string[]> {
  const open = members.some(({ action }) => action === 'join' || action === 'wait');
  if (!open || run.deployment.skipHosts.length > 0) return [];
  const touched = members.filter(({ action, task }) => action !== 'join' && task.plan.changes.length > 0);
  return joinNewMembers(
    run,
    touched.map(({ name }) => name),
  );
}

function desireInputs(store: StoreView, binaries: Binaries | undefined): DesireInputs {
  return { store, only: ['etcd'], ...(binaries === undefined ? {} : { binaries }) };
}

function recorder(store: EtcdDeployment['store']): (clusterId: string) => Promise<void> {
  return async (clusterId) => {
    if (store.view().etcdClusterId === undefined) await store.recordEtcdClusterId(clusterId);
  };
}
