import { readEtcdClients } from '../apply/etcd-clients.ts';
import { readFormers } from '../apply/formers.ts';
import { observedBy, type Survey, survey } from '../apply/survey.ts';
import type { Store } from '../ca/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { componentsOf, requireCertificates } from '../desired/desire.ts';
import type { PlanFinding } from '../diff/changes.ts';
import { type PlannedCluster, planCluster } from '../diff/plan.ts';
import { KbinError } from '../errors.ts';
import { type MemberReading, readAgain, readMembers } from '../health/live.ts';
import { etcdCredentials, etcdTargetsEitherWay, withFormerEndpoints } from '../health/of-cluster.ts';
import type { Connect } from '../remote/host.ts';
import { askControlPlane } from './live-control-plane.ts';
import { rotationFindings } from './pki/rotation-notes.ts';
import { planBinaries } from './plan-binaries.ts';
import { gapFinding, reasonOf } from './plan-gaps.ts';

export interface LivePlanInputs {
  readonly cluster: Cluster;
  readonly store: Store;
  /** One connection per host however often it is asked for (src/remote/share.ts); the caller closes them. */
  readonly connect: Connect;
  /** As `kbin control-plane deploy --take-over` would see it. */
  readonly takeOver?: boolean;
  readonly onStep?: (host: string, text: string) => void;
}

/**
 * The plan of the whole cluster against its hosts as they are now: one connection and one probe each, etcd and the
 * apiservers asked at the same time. Changes nothing. What could not be looked at is a finding, not an error.
 */
export async function livePlan(inputs: LivePlanInputs): Promise<PlannedCluster> {
  const { cluster, store, connect, takeOver, onStep } = inputs;
  const view = store.view();
  requireCertificates(cluster, view);
  const hosts = cluster.hosts.filter((host) => componentsOf(cluster, host).length > 0);
  const binaries = planBinaries(cluster);
  const looking = survey({
    cluster,
    hosts,
    connect,
    inputs: binaries.then(({ found }) => ({ architecture }) => {
      const own = found.get(architecture);
      return { store: view, ...(own === undefined ? {} : { binaries: own }) };
    }),
    now: Date.now,
    ...(onStep === undefined ? {} : { onStep }),
  });
  const [looked, { found, findings: noBinaries }, etcd, controlPlane, etcdClients, formers] =
    await Promise.all([
      looking,
      binaries,
      askEtcd(cluster, store, connect, looking),
      askControlPlane(cluster, store, connect, looking),
      looking.then((seen) => readEtcdClients(cluster, view, seen, connect)),
      takeOver === true ? looking.then((seen) => readFormers(cluster, seen)) : undefined,
    ]);
  const planned = planCluster({
    facts: {
      cluster,
      observed: observedBy(looked),
      unreachable: looked.unreachable.map(({ host, error }) => ({
        host,
        reason: reasonOf(error),
        ...(error.details.next === undefined ? {} : { next: error.details.next }),
      })),
      readings: etcd.readings,
      ...(view.etcdClusterId === undefined ? {} : { storeClusterId: view.etcdClusterId }),
    },
    store: view,
    binaries: found,
    apiservers: controlPlane.readings,
    objects: controlPlane.objects,
    etcdClients,
    ...(formers === undefined ? {} : { formers }),
    now: Date.now(),
  });
  const more = [...noBinaries, ...etcd.findings, ...controlPlane.findings, ...rotationFindings(store.folder)];
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, ...more] } };
}

/** Where the keys are not (CI, a second operator), the plan is what can be had there, and not incomplete for it. */
async function askEtcd(
  cluster: Cluster,
  store: Store,
  connect: Connect,
  looking: Promise<Survey>,
): Promise<{ readings: readonly MemberReading[]; findings: readonly PlanFinding[] }> {
  try {
    const credentials = await etcdCredentials(store);
    const names = cluster.hosts.map(({ name }) => name);
    const targets = etcdTargetsEitherWay(cluster, connect, names);
    // At the same time: mostly etcd is where cluster.yaml has it.
    const [readings, looked] = await Promise.all([readMembers(targets, credentials), looking]);
    const reached = withFormerEndpoints(targets, cluster, observedBy(looked));
    return { readings: await readAgain(readings, reached, credentials), findings: [] };
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const gap = { what: 'etcd itself was not asked how it is', incomplete: false };
    return { readings: [], findings: [gapFinding('etcd-not-asked', gap, error)] };
  }
}
