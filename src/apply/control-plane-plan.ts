import { type ControlPlaneComponent, controlPlaneComponents } from '../cluster/cluster.ts';
import type { Change, HostPlan, Plan } from '../diff/changes.ts';
import { planCluster } from '../diff/plan.ts';
import type { ApiReading } from '../health/api-gates.ts';
import type { ControlPlaneRun } from './control-plane-run.ts';
import { wakingChange } from './instances.ts';
import { isMeant, notLookedAt, observedBy } from './survey.ts';
import type { Workplace } from './work.ts';

export interface ControlPlanePlan {
  readonly plan: Plan;
  /** By component, in the order in which they are rolled out; of the hosts that the run reaches. */
  readonly places: ReadonlyMap<ControlPlaneComponent, readonly Workplace[]>;
}

/** What a run would do to the hosts it can reach. Pure. */
export function controlPlanePlan(
  run: ControlPlaneRun,
  apiservers: readonly ApiReading[],
  objects: readonly Change[],
): ControlPlanePlan {
  const { deployment, survey, store, binaries, formers } = run;
  const { cluster, skipHosts } = deployment;
  const { plan, sides } = planCluster({
    facts: {
      cluster,
      observed: observedBy(survey),
      unreachable: notLookedAt(survey, skipHosts),
      readings: [],
      ...(store.etcdClusterId === undefined ? {} : { storeClusterId: store.etcdClusterId }),
    },
    store,
    binaries,
    only: controlPlaneComponents,
    apiservers,
    objects,
    ...(formers === undefined ? {} : { formers }),
    now: deployment.now(),
  });
  const placesOf = (component: ControlPlaneComponent) =>
    survey.answered.map(({ clusterHost: { name }, host, observed }): Workplace => {
      const wanted = sides
        .find((side) => side.host.name === name)
        ?.desired.components.find((one) => one.name === component);
      const hostPlan = plan.hosts.find((one) => one.host === name && one.component === component);
      if (wanted === undefined || hostPlan === undefined) {
        throw new Error(`${name} was looked at for ${component}, and has no plan for it`);
      }
      return { name, host, task: { component: wanted, observed, plan: hostPlan } };
    });
  return {
    plan: { ...plan, findings: plan.findings.filter((finding) => !isMeant(finding, skipHosts)) },
    places: new Map(controlPlaneComponents.map((component) => [component, placesOf(component)])),
  };
}

/** The plan with what turned out to be needed on the way: restarts of processes that did not answer, and objects. */
export function asDone(
  plan: Plan,
  woken: ReadonlyMap<string, readonly string[]>,
  objects: readonly Change[],
): Plan {
  const withWaking = (one: HostPlan): HostPlan => {
    if (woken.get(one.component)?.includes(one.host) !== true) return one;
    return {
      ...one,
      changes: [...one.changes, wakingChange(`${one.component}.service`)],
      disruption: 'restart',
    };
  };
  return { ...plan, hosts: plan.hosts.map(withWaking), objects };
}
