import { stop, stopCluster, type Verdict } from './etcd-verdict.ts';
import type { EtcdFailure, EtcdView, MemberView } from './etcd-view.ts';
import { isRunning } from './unit.ts';

/**
 * Members whose etcd runs and does not answer. Such a one may be in order and only cannot be asked: it has its vote, and
 * is restarted only where the others are a quorum without it (src/apply/wake.ts). By then it has been asked on its own
 * host too, through SSH (src/health/dial-either.ts): a closed port alone is told, and restarts nothing.
 */

/** systemd has it as running and ready. */
export function seemsReady({ unit }: MemberView): boolean {
  return unit?.activeState === 'active' && isRunning(unit);
}

/** The running cluster lists it, the data is its own, and its etcd did not answer. */
export function listedAndSilent(member: MemberView): Verdict {
  const { unit, failure } = member;
  const silent = { action: 'repair' as const, reason: 'is a member and does not answer' };
  if (!isRunning(unit)) return silent;
  if (!seemsReady(member))
    return { ...silent, reason: `is starting${andDoesNotAnswer(failure)}`, wake: 'start' };
  if (failure !== undefined && outOfReach.includes(failure.code)) return unaskable(member, failure);
  const finding = silentMember(member);
  if (!isCuredByRestart(failure)) return { ...silent, finding };
  return { ...silent, reason: `runs${andDoesNotAnswer(failure)}`, wake: 'restart', finding };
}

/** Nobody got as far as its port (src/health/cause-rules.ts): whether it is well is not known. */
const outOfReach: readonly string[] = ['out-of-reach', 'ssh'];

function unaskable({ host }: MemberView, { message, next }: EtcdFailure): Verdict {
  return stop('member-out-of-reach', 'its etcd runs, but kbin cannot get to it', {
    message: `etcd runs on ${host.name}, but ${message}: whether it is well is not known, so it is left alone`,
    next,
  });
}

/** A process that hangs, or has lost its listener, gets over that. What one refuses, it refuses again. */
function isCuredByRestart(failure: EtcdFailure | undefined): boolean {
  return (
    failure === undefined || ['refused', 'no-answer', 'connection-lost', 'unknown'].includes(failure.code)
  );
}

function silentMember({ host, failure }: MemberView): NonNullable<Verdict['finding']> {
  return {
    severity: 'warning',
    code: 'member-silent',
    message: `etcd runs on ${host.name}${andDoesNotAnswer(failure)}`,
    next: isCuredByRestart(failure)
      ? 'see its journal; a deploy restarts it, if the other members alone are a quorum'
      : `${failure?.next}; \`kbin etcd status\` shows the same`,
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
    message: `etcd runs on ${names}, but no member answered kbin${failure === undefined ? '' : `: ${failure.message}`}`,
    next: otherCa.includes(failure?.code ?? '')
      ? 'pki/ holds another etcd CA than the one whose certificates these members have (`kbin pki show etcd-ca`): put the pki folder back that this cluster was made with, from a backup or from the machine that deployed it'
      : isCuredByRestart(failure)
        ? 'see what their journals say (`journalctl -u etcd`); kbin restarts none while no member tells how the cluster is: `systemctl restart etcd` on one host at a time does'
        : `${failure?.next}; \`kbin etcd status\` shows the same`,
  });
}

/** What both sides say of each other when their certificates come from different CAs. */
const otherCa = ['wrong-ca', 'foreign-client'];

function andDoesNotAnswer(failure: EtcdFailure | undefined): string {
  if (failure === undefined) return ' and does not answer';
  const { message } = failure;
  return message.startsWith('does not answer') ? ` and ${message}` : ` and does not answer: ${message}`;
}
