import { observedBy, type Survey, survey } from '../apply/survey.ts';
import { resolveBinaries } from '../binaries/resolve.ts';
import type { Store } from '../ca/store.ts';
import type { Architecture, Cluster } from '../cluster/cluster.ts';
import { type Binaries, componentsOf, requireCertificates } from '../desired/desire.ts';
import type { Gap, PlanFinding } from '../diff/changes.ts';
import { type PlannedCluster, planCluster } from '../diff/plan.ts';
import { KbinError } from '../errors.ts';
import { type MemberReading, readAgain, readMembers } from '../health/live.ts';
import { etcdCredentials, etcdTargetsEitherWay, withFormerEndpoints } from '../health/of-cluster.ts';
import type { Connect } from '../remote/host.ts';

export interface LivePlanInputs {
  readonly cluster: Cluster;
  readonly store: Store;
  /** One connection per host however often it is asked for (src/remote/share.ts); the caller closes them. */
  readonly connect: Connect;
  readonly onStep?: (host: string, text: string) => void;
}

/**
 * The plan of the whole cluster against its hosts as they are now: one connection and one probe each, and etcd asked at
 * the same time. Changes nothing. What could not be looked at is a finding, not an error.
 */
export async function livePlan({ cluster, store, connect, onStep }: LivePlanInputs): Promise<PlannedCluster> {
  const view = store.view();
  requireCertificates(cluster, view);
  const hosts = cluster.hosts.filter((host) => componentsOf(cluster, host).length > 0);
  const binaries = binariesOf(cluster);
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
  const [looked, { found, finding: noBinaries }, { readings, finding: notAsked }] = await Promise.all([
    looking,
    binaries,
    askEtcd(cluster, store, connect, looking),
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
      readings,
      ...(view.etcdClusterId === undefined ? {} : { storeClusterId: view.etcdClusterId }),
    },
    store: view,
    binaries: found,
  });
  const more = [noBinaries, notAsked].filter((finding) => finding !== undefined);
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, ...more] } };
}

function reasonOf({ message, details }: KbinError): string {
  return details.why === undefined ? message : `${message}: ${details.why}`;
}

/**
 * Units and files are the same with and without binaries, so a plan is worth showing also where there are none. It is
 * incomplete then: nobody knows which programs are on the hosts.
 */
async function binariesOf(
  cluster: Cluster,
): Promise<{ found: ReadonlyMap<Architecture, Binaries>; finding?: PlanFinding }> {
  const { version, source } = cluster.etcd;
  const architectures = [...new Set(cluster.hosts.map(({ architecture }) => architecture))];
  try {
    const found = await Promise.all(
      architectures.map(
        async (architecture) =>
          [
            architecture,
            await resolveBinaries({ component: 'etcd', version, architecture, source }),
          ] as const,
      ),
    );
    return { found: new Map(found) };
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const gap = { what: 'the programs on the hosts were not compared', incomplete: true };
    return { found: new Map(), finding: gapFinding('binaries-unknown', gap, error) };
  }
}

/** Where the keys are not (CI, a second operator), the plan is what can be had there, and not incomplete for it. */
async function askEtcd(
  cluster: Cluster,
  store: Store,
  connect: Connect,
  looking: Promise<Survey>,
): Promise<{ readings: readonly MemberReading[]; finding?: PlanFinding }> {
  try {
    const credentials = await etcdCredentials(store);
    const names = cluster.hosts.map(({ name }) => name);
    const targets = etcdTargetsEitherWay(cluster, connect, names);
    // At the same time: mostly etcd is where cluster.yaml has it.
    const [readings, looked] = await Promise.all([readMembers(targets, credentials), looking]);
    const reached = withFormerEndpoints(targets, cluster, observedBy(looked));
    return { readings: await readAgain(readings, reached, credentials) };
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const gap = { what: 'etcd itself was not asked how it is', incomplete: false };
    return { readings: [], finding: gapFinding('etcd-not-asked', gap, error) };
  }
}

function gapFinding(code: string, gap: Gap, error: KbinError): PlanFinding {
  return {
    severity: 'warning',
    code,
    message: `${gap.what}: ${reasonOf(error)}`,
    next: error.details.next ?? 'see the message',
    gap,
  };
}
