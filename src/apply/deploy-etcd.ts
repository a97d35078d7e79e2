import type { Progress } from '../cli/io.ts';
import type { Architecture, Cluster, ClusterHost } from '../cluster/cluster.ts';
import { type Binaries, type DesireInputs, requireCertificates } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import { isEmpty, type Plan, type PlanFinding } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import type { EtcdHealth } from '../health/check.ts';
import { etcdHealth } from '../health/etcd.ts';
import { type MemberReading, readMembers } from '../health/live.ts';
import { etcdCredentials, etcdTargets } from '../health/of-cluster.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { Connect } from '../remote/host.ts';
import { etcdPlan, type PlannedMember } from './etcd-plan.ts';
import { type DecidedMember, rollOut } from './etcd-rollout.ts';
import { addLearner, startAndPromote } from './join.ts';
import type { Operator } from './lock.ts';
import { act, forget } from './operations.ts';
import { allInParallel } from './parallel.ts';
import { checkpoint, type Rollout, settle } from './rollout.ts';
import { stage } from './stage.ts';
import { hostsOfRun, type Survey, survey } from './survey.ts';

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
  const hosts = hostsOfRun(cluster, 'etcd', deployment.skipHosts);
  const credentials = await etcdCredentials(store);
  const connections = sharedConnections(deployment.connect);
  const targets = etcdTargets(cluster, connections.connect);
  const view = store.view();
  requireCertificates(cluster, view);
  const binaries = resolve(deployment.binaries, hosts);
  // A failure is reported by the survey; until then it must only not count as unhandled.
  binaries.catch(() => {});
  // Asked at the same time as the hosts are looked at: on a cluster that is as wanted, this is the whole run.
  const health = etcdHealth(targets, credentials);
  const readings = readMembers(targets, credentials);
  try {
    const looked = await survey({
      cluster,
      hosts,
      connect: connections.connect,
      inputs: binaries.then(
        (found) =>
          ({ architecture }) =>
            desireInputs(view, found.get(architecture)),
      ),
      operator: deployment.operator,
      now: deployment.now,
      onStep: progress.step,
    });
    refuseUnreachable(looked);
    const run: Run = {
      deployment,
      survey: looked,
      targets,
      credentials,
      store: view,
      binaries: await binaries,
    };
    return await deployTo(run, await readings, health);
  } finally {
    await connections.close();
    progress.end();
  }
}

/** What one run works with. */
interface Run {
  readonly deployment: EtcdDeployment;
  readonly survey: Survey;
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
}

async function deployTo(
  run: Run,
  readings: readonly MemberReading[],
  before: Promise<EtcdHealth>,
): Promise<EtcdDeployReport> {
  const { deployment, targets, credentials } = run;
  const planned = planOf(run, readings);
  const { plan, membership } = planned;
  refuseFindings(deployment, plan.findings);
  const record = recorder(deployment.store);
  const rollout = rolloutOf(run, membership.live?.clusterId);
  const members = planned.members.map((member) => decided(run, member));
  const clusterId = await rollOut(rollout, members, record);
  const joined = await joinNew(run, clusterId);
  if (clusterId !== undefined) await record(clusterId);
  await settleKept(rollout, members, readings);
  const quiet = isEmpty(plan) && joined.length === 0;
  return {
    plan,
    bootstrapped: members.some(({ action }) => action === 'bootstrap'),
    joined,
    skipped: deployment.skipHosts,
    ...(clusterId === undefined ? {} : { clusterId }),
    health: quiet ? await before : await etcdHealth(targets, credentials),
  };
}

/** Members that were right all along may still lack the marker, or hold leftovers of a run that was cut off. */
async function settleKept(
  rollout: Rollout,
  members: readonly DecidedMember[],
  readings: readonly MemberReading[],
): Promise<void> {
  const kept = members.filter(({ action, task }) => action === 'keep' && task.plan.changes.length === 0);
  await allInParallel(rollout.parallel, kept, async (member) => {
    const reading = readings.find(({ target }) => target.name === member.name);
    if (reading?.quorum === true) await settle(rollout, member, reading);
  });
}

/**
 * Hosts that become members of the running cluster, one at a time: each changes the member list that the next one's
 * etcd.conf is made from. What `wait`ed for a quorum is looked at again now.
 */
async function joinNew(run: Run, clusterId: string | undefined): Promise<string[]> {
  const { deployment, targets, credentials } = run;
  const joined: string[] = [];
  if (clusterId === undefined || deployment.skipHosts.length > 0) return joined;
  for (;;) {
    const { members, plan, membership } = planOf(run, await readMembers(targets, credentials));
    const next = members.find(
      ({ decision: { action, host } }) => action === 'join' && !joined.includes(host),
    );
    if (next === undefined) return joined;
    refuseFindings(deployment, plan.findings);
    checkpoint(deployment, `before ${next.decision.host} joins the cluster`);
    await join(run, next, rolloutOf(run, membership.live?.clusterId));
    joined.push(next.decision.host);
  }
}

async function join(run: Run, planned: PlannedMember, rollout: Rollout): Promise<void> {
  const { decision } = planned;
  const member = decided(run, planned);
  await stage(rollout, [member]);
  if (decision.added !== true) await addLearner(rollout, member.target);
  const isLearner = decision.joining.kind === 'existing';
  if (decision.staleMarker === true && member.task.component.state !== undefined) {
    await act(member.host, 'forget the former member', [forget(member.task.component.state.marker)]);
  }
  await startAndPromote(rollout, member, isLearner);
}

function planOf(run: Run, readings: readonly MemberReading[]) {
  const { deployment, survey: looked, store, binaries } = run;
  const { cluster, skipHosts } = deployment;
  return etcdPlan({ cluster, survey: looked, skipped: skipHosts, readings, store, binaries });
}

function decided({ targets }: Run, { surveyed, decision, task }: PlannedMember): DecidedMember {
  const target = targets.find(({ name }) => name === decision.host);
  if (target === undefined) throw new Error(`no target for ${decision.host}`);
  const { host, action, memberId } = decision;
  return {
    name: host,
    host: surveyed.host,
    target,
    task,
    action,
    ...(memberId === undefined ? {} : { memberId }),
  };
}

function rolloutOf({ deployment, targets, credentials }: Run, clusterId: string | undefined): Rollout {
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

function refuseUnreachable({ unreachable }: Survey): void {
  const [first, ...more] = unreachable;
  if (first === undefined) return;
  const { message, details } = first.error;
  const others = more.map(({ host, error }) => `${host}: ${error.message}`);
  throw new KbinError(message, {
    ...details,
    host: first.host,
    next: [
      details.next ?? 'Bring the host back.',
      `Or leave it out of this run with --skip-host ${first.host}: membership then stays as it is.`,
    ].join(' '),
    output: [details.output, others.length > 0 ? `also not reached:\n${others.join('\n')}` : undefined]
      .filter((part) => part !== undefined)
      .join('\n'),
    cause: first.error,
  });
}

/** Warnings are told; what must stop a run stops it, all of it at once. */
function refuseFindings({ progress }: EtcdDeployment, findings: readonly PlanFinding[]): void {
  for (const { severity, host, message, next } of findings) {
    if (severity === 'warning')
      progress.note(`warning: ${host === undefined ? '' : `${host}: `}${message} (${next})`);
  }
  const stops = findings.filter(({ severity }) => severity === 'stop');
  const [first] = stops;
  if (first === undefined) return;
  const host = stops.every((other) => other.host === first.host) ? first.host : undefined;
  throw new KbinError(stops.length === 1 ? first.message : `${stops.length} things stand in the way`, {
    ...(host === undefined ? {} : { host }),
    step: 'plan',
    why: 'nothing was changed',
    next: stops.length === 1 ? first.next : 'See to each of them, and run kbin again.',
    ...(stops.length === 1 ? {} : { output: stops.map(lineOf).join('\n') }),
  });
}

function lineOf({ host, message, next }: PlanFinding): string {
  return `${host === undefined ? '' : `${host}: `}${message}; ${next}`;
}

function desireInputs(store: StoreView, binaries: Binaries | undefined): DesireInputs {
  return { store, ...(binaries === undefined ? {} : { binaries }) };
}

async function resolve(
  binaries: EtcdDeployment['binaries'],
  hosts: readonly ClusterHost[],
): Promise<ReadonlyMap<Architecture, Binaries>> {
  const architectures = [...new Set(hosts.map(({ architecture }) => architecture))];
  return new Map(
    await Promise.all(
      architectures.map(async (architecture) => [architecture, await binaries(architecture)] as const),
    ),
  );
}

function recorder(store: DeployStore): (clusterId: string) => Promise<void> {
  return async (clusterId) => {
    if (store.view().etcdClusterId === undefined) await store.recordEtcdClusterId(clusterId);
  };
}

/** One connection per host, whoever asks for it first: the survey, or a health check that goes through SSH. */
function sharedConnections(connect: Connect): { connect: Connect; close: () => Promise<void> } {
  const open = new Map<string, ReturnType<Connect>>();
  return {
    connect: (name) => {
      const host = open.get(name) ?? connect(name);
      open.set(name, host);
      return host;
    },
    close: async () => {
      await Promise.allSettled([...open.values()].map(async (host) => (await host).close()));
    },
  };
}
