import { type ClusterHost, controlPlaneComponents } from '../cluster/cluster.ts';
import { requireControlPlane } from '../cluster/required.ts';
import { requireCertificates } from '../desired/desire.ts';
import { isEmpty, type Plan } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import { type ApiReading, readApiserver, readApiservers } from '../health/api-gates.ts';
import { apiCredentials, apiTargets } from '../health/api-target.ts';
import { type ControlPlaneHealth, isHealthy } from '../health/check.ts';
import { componentTargets } from '../health/component-target.ts';
import type { Voters } from '../health/gates.ts';
import { etcdCredentials, etcdTargetsEitherWay } from '../health/of-cluster.ts';
import type { Connect } from '../remote/host.ts';
import { shareConnections } from '../remote/share.ts';
import { findVoters, refuseWithoutEtcd } from './control-plane-etcd.ts';
import { healthReport, onceSettled } from './control-plane-health.ts';
import { asDone, type ControlPlanePlan, controlPlanePlan } from './control-plane-plan.ts';
import { rollOutControlPlane } from './control-plane-rollout.ts';
import { type ControlPlaneRun, controlPlaneInputs } from './control-plane-run.ts';
import { awaitedLater, binariesFor, type Deployment, workOf } from './deployment.ts';
import { readFormers } from './formers.ts';
import { leftoversOf } from './leftovers.ts';
import { applyObjects, objectChanges } from './objects.ts';
import { refuseFindings, refuseUnreachable } from './refusals.ts';
import { hostsOfRun, survey } from './survey.ts';

export interface ControlPlaneDeployReport {
  /** What had to be done when the run began; it is done now. Empty: nothing was changed or restarted. */
  readonly plan: Plan;
  readonly skipped: readonly string[];
  readonly health: ControlPlaneHealth;
}

export interface ControlPlaneDeployment extends Deployment {
  /** Components that others have set up there are replaced, where nothing is lost with them. */
  readonly takeOver?: boolean;
}

/**
 * Makes the three components on every control-plane host what cluster.yaml says, in safe steps, and proves that they
 * work. Throws KbinError where it must stop; whatever was done by then is complete in itself, and the next call carries
 * on.
 */
export async function deployControlPlane(
  deployment: ControlPlaneDeployment,
): Promise<ControlPlaneDeployReport> {
  const { cluster, store, progress, skipHosts } = deployment;
  requireControlPlane(cluster);
  const view = store.view();
  requireCertificates(cluster, view, controlPlaneComponents);
  const hosts = hostsOfRun(cluster, 'control-plane', skipHosts);
  const [credentials, etcdClient] = await Promise.all([apiCredentials(store), etcdCredentials(store)]);
  const connections = shareConnections(deployment.connect);
  const connect = without(connections.connect, skipHosts);
  const apiservers = apiTargets(cluster, connect);
  const others = componentTargets(cluster, connect);
  const binaries = awaitedLater(binariesFor(deployment.binaries, hosts));
  const inputs = awaitedLater(
    binaries.then((found) => (host: ClusterHost) => controlPlaneInputs(view, found.get(host.architecture))),
  );
  const voters = () => findVoters(etcdTargetsEitherWay(cluster, connect), etcdClient);
  // Asked while the hosts compute their digests, not before: where all is as wanted, this is the whole run, and the sooner
  // the hosts are connected, the sooner it is over.
  const connected = Promise.allSettled(hosts.map(({ name }) => connect(name)));
  const readings = awaitedLater(connected.then(() => readApiservers(apiservers, credentials)));
  const objects = awaitedLater(readings.then((read) => objectChanges(cluster, credentials, read)));
  const health = healthReport({ cluster, store, connect });
  const before = awaitedLater(connected.then(() => health({ readOnly: true })));
  try {
    const looked = await survey({
      cluster,
      hosts,
      connect,
      inputs,
      operator: deployment.operator,
      now: deployment.now,
      onStep: progress.step,
    });
    refuseUnreachable(looked);
    const run = {
      deployment,
      survey: looked,
      apiservers,
      others,
      credentials,
      store: view,
      binaries: await binaries,
      ...(deployment.takeOver === true ? { formers: await readFormers(cluster, looked) } : {}),
    };
    return await carryOut(run, {
      voters,
      readings: await withSsh(await readings, run),
      objects: await objects,
      before,
      health,
    });
  } finally {
    await connections.close();
    progress.end();
  }
}

interface Seen {
  /** Asked only where something is to be changed. */
  readonly voters: () => Promise<Voters>;
  readonly readings: readonly ApiReading[];
  readonly objects: Plan['objects'];
  /** What the control plane was like when the run began. */
  readonly before: Promise<ControlPlaneHealth>;
  readonly health: () => Promise<ControlPlaneHealth>;
}

async function carryOut(run: ControlPlaneRun, seen: Seen): Promise<ControlPlaneDeployReport> {
  const { deployment } = run;
  const { progress, skipHosts: skipped } = deployment;
  const { plan, places } = controlPlanePlan(run, seen.readings, seen.objects);
  refuseFindings(progress, plan.findings);
  if (isEmpty(plan)) {
    const health = await seen.before;
    // Else something may be wrong that no file tells: each component is looked at, in its turn.
    if (isHealthy(health.checks) && !hasLeftovers(places)) return { plan, skipped, health };
  }
  if (plan.hosts.some(({ changes }) => changes.length > 0))
    refuseWithoutEtcd(deployment, await seen.voters());
  const woken = await rollOutControlPlane(run, places);
  const objects = await applyObjects(run, workOf(deployment));
  return { plan: asDone(plan, woken, objects), skipped, health: await onceSettled(seen.health) };
}

function hasLeftovers(places: ControlPlanePlan['places']): boolean {
  return [...places.values()].flat().some(({ task }) => leftoversOf(task).length > 0);
}

/** Where an apiserver's port is closed to this machine, it could be asked only once SSH was connected. */
function withSsh(
  readings: readonly ApiReading[],
  { credentials }: Pick<ControlPlaneRun, 'credentials'>,
): Promise<readonly ApiReading[]> {
  return Promise.all(
    readings.map((reading) =>
      reading.failure?.code === 'out-of-reach' ? readApiserver(reading.target, credentials) : reading,
    ),
  );
}

/** Hosts that are left out are not connected to, either. */
function without(connect: Connect, skipped: readonly string[]): Connect {
  return (name) =>
    skipped.includes(name)
      ? Promise.reject(new KbinError(`${name} is left out of this run`, { host: name, step: 'connect' }))
      : connect(name);
}
