import { type Architecture, type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { etcdUnit } from '../desired/components/etcd.ts';
import { type Binaries, desire } from '../desired/desire.ts';
import type { DesiredHost } from '../desired/desired.ts';
import type { StoreView } from '../desired/store-view.ts';
import { certificates } from './certificates.ts';
import type { Change, HostPlan, Plan, PlanFinding } from './changes.ts';
import { controlPlanePreflight } from './control-plane-preflight.ts';
import type { ApiserverReading } from './control-plane-view.ts';
import { diffHost } from './diff.ts';
import { type EtcdClientReading, revokedClients } from './etcd-clients.ts';
import {
  decideMembership,
  type EtcdFacts,
  type MemberDecision,
  type MembershipDecision,
} from './etcd-membership.ts';
import { etcdPreflight } from './etcd-preflight.ts';
import type { FormerReading } from './former.ts';
import { type HostSides, preflight } from './preflight.ts';

/** Everything a plan depends on. `observed` and `unreachable` of `facts` together name every host that was tried. */
export interface PlanInputs {
  readonly facts: EtcdFacts;
  readonly store: StoreView;
  readonly binaries: ReadonlyMap<Architecture, Binaries>;
  /** Names of components that the plan is about; default: all that the hosts should have. */
  readonly only?: readonly string[];
  /** One per control-plane host. None at all: they were not asked, for lack of a key or because there is none yet. */
  readonly apiservers?: readonly ApiserverReading[];
  /** Where etcd would get a revocation list: who would come with what is on it. */
  readonly etcdClients?: readonly EtcdClientReading[];
  /** Units of others in the control plane are to be replaced: what their files say. */
  readonly formers?: readonly FormerReading[];
  /** What differs inside Kubernetes, as far as an apiserver could be asked. */
  readonly objects?: readonly Change[];
  /** Milliseconds since 1970, by the operator's clock. undefined: the store's certificates are taken as they are. */
  readonly now?: number;
}

export interface PlannedCluster {
  readonly plan: Plan;
  readonly membership: MembershipDecision;
  /** The hosts that answered, in the order of cluster.yaml, with what they should be and what they are. */
  readonly sides: readonly HostSides[];
}

/** desired − observed for the whole cluster. Pure. Throws KbinError when the store lacks certificates (`desire`). */
export function planCluster(inputs: PlanInputs): PlannedCluster {
  const { facts, store, binaries, only, objects = [] } = inputs;
  const { cluster, observed, unreachable, readings } = facts;
  const isAboutEtcd = hostsWithRole(cluster, 'etcd').length > 0 && (only?.includes('etcd') ?? true);
  const membership = isAboutEtcd ? decideMembership(facts) : { members: [], findings: [] };
  const given = { store, binaries, ...(only === undefined ? {} : { only }) };
  const sides = cluster.hosts.flatMap((host): HostSides[] => {
    const seen = observed.get(host.name);
    if (seen === undefined) return [];
    return [{ host, observed: seen, desired: desireMember(cluster, host, { ...given, membership, seen }) }];
  });
  return {
    plan: {
      hosts: sides.flatMap((side) =>
        diffHost(side.desired, side.observed).map((plan) => withMembership(plan, membership)),
      ),
      findings: [
        ...preflight(cluster, sides),
        ...(isAboutEtcd
          ? [
              ...etcdPreflight(cluster, sides, readings, membership),
              ...membership.findings,
              ...revokedClients(store, inputs.etcdClients ?? []),
            ]
          : []),
        ...controlPlanePreflight(
          cluster,
          sides,
          unreachable,
          inputs.apiservers ?? [],
          inputs.formers && { cluster, store, readings: inputs.formers },
        ),
        ...certificateFindings(inputs),
      ],
      unreachable: [...unreachable],
      objects: [...objects],
    },
    membership,
    sides,
  };
}

/** Also for hosts that do not answer: what is wrong with a certificate is wrong without them. */
function certificateFindings({ facts: { cluster }, store, only, now }: PlanInputs): PlanFinding[] {
  if (now === undefined) return [];
  const given = { cluster, hosts: cluster.hosts, store, now };
  return certificates({ ...given, ...(only === undefined ? {} : { only }) });
}

function desireMember(
  cluster: Cluster,
  host: ClusterHost,
  inputs: Omit<PlanInputs, 'facts'> & { membership: MembershipDecision; seen: HostSides['observed'] },
): DesiredHost {
  const { store, binaries, membership, seen, only } = inputs;
  const own = binaries.get(host.architecture);
  const member = membership.members.find((decision) => decision.host === host.name);
  return desire(cluster, host, {
    store,
    facts: seen.facts,
    ...(only === undefined ? {} : { only }),
    ...(own === undefined ? {} : { binaries: own }),
    ...(member === undefined ? {} : { joining: member.joining }),
  });
}

/** Whether etcd may be started is the membership's to say, and so is why. */
function withMembership(plan: HostPlan, { members }: MembershipDecision): HostPlan {
  const member = members.find(({ host }) => host === plan.host);
  if (plan.component !== 'etcd' || member === undefined) return plan;
  const standsStill = member.action === 'stop' || member.action === 'wait';
  const changes = plan.changes
    .filter(({ action }) => !(standsStill && (action === 'start' || action === 'restart')))
    .map((change) =>
      change.action === 'start' && isBeginning(member) ? { ...change, reason: member.reason } : change,
    );
  return withWaking(
    {
      ...plan,
      changes: [...memberChanges(member), ...changes],
      disruption: standsStill ? 'none' : plan.disruption,
    },
    member,
  );
}

/** A process that is as it should be, and of no use as it is: what it goes through is part of the plan. */
function withWaking(plan: HostPlan, { wake, reason }: MemberDecision): HostPlan {
  if (wake === undefined || plan.disruption === 'start') return plan;
  if (plan.disruption === 'restart') {
    const changes = plan.changes.map((change) =>
      change.action === 'restart' ? { ...change, reason: `${change.reason}; ${reason}` } : change,
    );
    return { ...plan, changes };
  }
  const condition =
    wake === 'restart' && plan.changes.length > 0 ? ' (if the other changes do not help)' : '';
  return {
    ...plan,
    changes: [
      ...plan.changes,
      { kind: 'unit', target: etcdUnit, action: wake, reason: `${reason}${condition}` },
    ],
    disruption: wake,
    ...(wake === 'restart' ? { onlyToWake: true } : {}),
  };
}

function isBeginning({ action }: MemberDecision): boolean {
  return action === 'bootstrap' || action === 'join';
}

function memberChanges({ host, action, reason, added }: MemberDecision): Change[] {
  if (action === 'promote') return [{ kind: 'member', target: host, action: 'promote', reason }];
  if (action === 'join' && added !== true) return [{ kind: 'member', target: host, action: 'join', reason }];
  return [];
}
