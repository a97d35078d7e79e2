import type { PlanFinding } from './changes.ts';
import { stopCluster, type Verdict } from './etcd-verdict.ts';
import type { EtcdFailure, EtcdView, MemberView } from './etcd-view.ts';
import { isRunning } from './unit.ts';

/** systemd has it as running and ready. */
export function seemsReady({ unit }: MemberView): boolean {
  return unit?.activeState === 'active' && isRunning(unit);
}

/** It runs, and may well be in order: only from here it cannot be asked. Others of its cluster answer. */
export function silentMember({ host, failure }: MemberView): Omit<PlanFinding, 'host'> {
  return {
    severity: 'warning',
    code: 'member-silent',
    message: `etcd runs on ${host.name}, but does not answer kbin${because(failure)}`,
    next: isOfNetwork(failure) ? closedPort : `${failure?.next}; \`kbin etcd status\` shows the same`,
  };
}

/** systemd says that etcd is ready, and nobody could be asked: then nothing is known, which is no reason to restart it. */
export function silent({ live, members }: EtcdView, member: MemberView): Verdict | undefined {
  if (live !== undefined || member.reading !== undefined || !seemsReady(member)) return undefined;
  const { failure } = member;
  const alike = members.filter(
    (other) =>
      other.reading === undefined && seemsReady(other) && other.failure?.message === failure?.message,
  );
  const names = alike.map(({ host }) => host.name).join(', ');
  return stopCluster('etcd-silent', 'its etcd runs, but kbin could not ask it', {
    message: `etcd runs on ${names}, but no member answered kbin${because(failure)}`,
    next: otherCa.includes(failure?.code ?? '')
      ? 'pki/ holds another etcd CA than the one whose certificates these members have (`kbin pki show etcd-ca`): put the pki folder back that this cluster was made with, from a backup or from the machine that deployed it'
      : isOfNetwork(failure)
        ? closedPort
        : `${failure?.next}; \`kbin etcd status\` shows the same`,
  });
}

/** What both sides say of each other when their certificates come from different CAs. */
const otherCa = ['wrong-ca', 'foreign-client'];

const closedPort =
  'see `kbin etcd status` for the reason; where its port is closed to this machine, set `etcd: {reach: ssh}`';

/** Nobody was there to say what is wrong. */
function isOfNetwork(failure: EtcdFailure | undefined): boolean {
  return (
    failure === undefined || ['refused', 'no-answer', 'no-route', 'connection-lost'].includes(failure.code)
  );
}

function because(failure: EtcdFailure | undefined): string {
  return failure === undefined ? '' : `: ${failure.message}`;
}
