import type { Check } from '../../check.ts';
import type { ListeningComponent } from '../../component-target.ts';
import { type ControlPlaneEvidence, sameMachine } from '../../control-plane-evidence.ts';
import { machineOf } from '../../leases.ts';
import { shortNames } from './components.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** Seconds that clocks of hosts may differ, and an apiserver's answer is rounded by. */
const clockSlack = 5;
/** Seconds; what client-go uses where a lease does not say. */
const defaultDuration = 15;

/** One of each leads, the lease in kube-system says which, and it is renewed. */
export const leaders: ControlPlaneJudgement = (evidence) =>
  (Object.keys(shortNames) as ListeningComponent[]).map((component) => judgeLease(component, evidence));

function judgeLease(component: ListeningComponent, evidence: ControlPlaneEvidence): Check {
  const base = { id: `${shortNames[component]}-leader` } as const;
  const { leases, subject } = evidence;
  if (subject.unelected.includes(component))
    return { ...base, status: 'skip', message: 'none is elected: cluster.yaml sets leader-elect to false' };
  if (typeof leases === 'string') return { ...base, status: 'skip', message: leases };
  const { holder, ageSeconds = 0, durationSeconds = defaultDuration, absent, failure } = leases[component];
  if (failure !== undefined)
    return {
      ...base,
      status: 'fail',
      message: `its lease could not be read: ${failure.message}`,
      next: failure.next,
    };
  if (holder === undefined) {
    return {
      ...base,
      status: 'fail',
      message: absent ? 'none has ever led: there is no lease in kube-system' : 'nobody holds the lease',
      next: `see whether ${component} runs and reaches its apiserver (journalctl -u ${component})`,
    };
  }
  const leader = leaderOf(component, evidence);
  const who = leader ?? machineOf(holder);
  if (ageSeconds > durationSeconds + clockSlack) {
    return {
      ...base,
      status: 'fail',
      message: `nobody leads: ${who} did, and renewed its lease ${Math.round(ageSeconds)} s ago (it lasts ${durationSeconds} s)`,
      next: `see whether ${component} runs on any host, reaches its apiserver, and the clocks of the hosts (journalctl -u ${component})`,
    };
  }
  if (leader === undefined) {
    return {
      ...base,
      status: 'fail',
      message: `${who} leads, which is no control-plane host of cluster.yaml`,
      next: `stop ${component} there, or add the host to cluster.yaml`,
    };
  }
  if (!isHealthy(component, leader, evidence)) {
    return {
      ...base,
      status: 'warn',
      message: `${leader} leads by its lease, and is not healthy there`,
      next: `another takes over when the lease ends, within ${durationSeconds} s: look again`,
    };
  }
  return {
    ...base,
    status: 'pass',
    message: `${leader} leads, lease renewed ${Math.round(ageSeconds)} s ago`,
  };
}

function isHealthy(component: ListeningComponent, name: string, { hosts }: ControlPlaneEvidence): boolean {
  return hosts.some(({ components }) =>
    components.some(
      ({ target, healthy }) => target.component === component && target.name === name && healthy,
    ),
  );
}

/** Host of cluster.yaml that holds the lease; undefined: none of them, or not known. */
export function leaderOf(
  component: ListeningComponent,
  { leases, hosts, hostNames }: ControlPlaneEvidence,
): string | undefined {
  const holder = typeof leases === 'string' ? undefined : leases[component].holder;
  if (holder === undefined) return undefined;
  const machine = machineOf(holder);
  return hosts
    .map(({ host }) => host.name)
    .find((name) => sameMachine(name, machine) || sameMachine(hostNames.get(name) ?? name, machine));
}
