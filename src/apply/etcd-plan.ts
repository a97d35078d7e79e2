import type { Architecture, Cluster } from '../cluster/cluster.ts';
import type { Binaries } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { Plan } from '../diff/changes.ts';
import type { EtcdClientReading } from '../diff/etcd-clients.ts';
import type { MemberDecision, MembershipDecision } from '../diff/etcd-membership.ts';
import type { EtcdReading } from '../diff/etcd-view.ts';
import { planCluster } from '../diff/plan.ts';
import type { Task } from './commit.ts';
import { isMeant, notLookedAt, observedBy, type Survey, type Surveyed } from './survey.ts';

export interface EtcdPlanInputs {
  readonly cluster: Cluster;
  readonly survey: Survey;
  /** Names of hosts that this run leaves out. */
  readonly skipped: readonly string[];
  readonly readings: readonly EtcdReading[];
  readonly etcdClients: readonly EtcdClientReading[];
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
  /** Milliseconds since 1970: certificates that would not do now stop the run. */
  readonly now: number;
}

/** A host of the run, what is to become of its member, and what has to change for that. */
export interface PlannedMember {
  readonly surveyed: Surveyed;
  readonly decision: MemberDecision;
  readonly task: Task;
}

export interface EtcdPlan {
  readonly plan: Plan;
  readonly membership: MembershipDecision;
  readonly members: readonly PlannedMember[];
}

/** What a run would do to the hosts it can reach. Pure. */
export function etcdPlan(run: EtcdPlanInputs): EtcdPlan {
  const { cluster, survey, skipped, readings, etcdClients, store, binaries, now } = run;
  const { plan, membership, sides } = planCluster({
    facts: {
      cluster,
      observed: observedBy(survey),
      unreachable: notLookedAt(survey, skipped),
      readings,
      ...(store.etcdClusterId === undefined ? {} : { storeClusterId: store.etcdClusterId }),
    },
    store,
    binaries,
    only: ['etcd'],
    etcdClients,
    now,
  });
  return {
    membership,
    plan: { ...plan, findings: plan.findings.filter((finding) => !isMeant(finding, skipped)) },
    members: survey.answered.map((surveyed) => {
      const { name } = surveyed.clusterHost;
      const decision = membership.members.find(({ host }) => host === name);
      const component = sides
        .find(({ host }) => host.name === name)
        ?.desired.components.find((one) => one.name === 'etcd');
      const hostPlan = plan.hosts.find((one) => one.host === name && one.component === 'etcd');
      if (decision === undefined || component === undefined || hostPlan === undefined) {
        throw new Error(`${name} was looked at for etcd, and has no plan for it`);
      }
      return { surveyed, decision, task: { component, observed: surveyed.observed, plan: hostPlan } };
    }),
  };
}
