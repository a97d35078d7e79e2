import { KbinError } from '../errors.ts';
import { canRestart, healthyVoters, moveLeaderAway, type Voters } from '../health/gates.ts';
import { commitMember } from './etcd-proof.ts';
import { type Member, type Rollout, settle } from './rollout.ts';
import { checkpoint } from './work.ts';

/**
 * Restarts members one at a time, each proven healthy before the next: those that are unwell first, then followers, the
 * leader last and after leadership was moved away. Who leads, and who is healthy, is read again at each step.
 */
export async function rollingRestart(rollout: Rollout, members: readonly Member[]): Promise<void> {
  let pending = [...members];
  while (pending.length > 0) {
    checkpoint(rollout, `${members.length - pending.length} of ${members.length} restarts are done`);
    const voters = await healthyVoters(rollout.targets, rollout.credentials);
    const member = nextOf(pending, voters);
    if (member === undefined) return;
    await restartOne(rollout, member, voters);
    pending = pending.filter((other) => other !== member);
  }
}

/** `voters` as they are now; `refusal` says why it may not be restarted, from what canRestart says. */
export async function restartOne(
  rollout: Rollout,
  member: Member,
  voters: Voters,
  refusal = (why: string) => wouldLoseQuorum(member.name, why),
): Promise<void> {
  const permitted = (now: Voters) => {
    const permission = canRestart(now, member.name);
    if (!permission.allowed && !rollout.allowDowntime) throw refusal(permission.why);
  };
  permitted(voters);
  const heirs = voters.healthy.filter((reading) => reading.target.name !== member.name);
  if (voters.leader?.target.name === member.name && heirs.length > 0) {
    rollout.progress.step(member.name, 'moving leadership away');
    await moveLeaderAway(rollout.targets, rollout.credentials, member.name, {
      within: rollout.within,
      onLast: (seen) => rollout.progress.step(member.name, seen),
    });
    // That took its time: another member may have gone meanwhile.
    permitted(await healthyVoters(rollout.targets, rollout.credentials));
  }
  await settle(rollout, member, await commitMember(rollout, member));
}

/** Pure. */
export function nextOf(pending: readonly Member[], voters: Voters): Member | undefined {
  const isHealthy = (member: Member) => voters.healthy.some((reading) => reading.target.name === member.name);
  const leads = (member: Member) => voters.leader?.target.name === member.name;
  return (
    pending.find((member) => !isHealthy(member)) ??
    pending.find((member) => !leads(member)) ??
    pending.find(leads)
  );
}

export function wouldLoseQuorum(name: string, why: string): KbinError {
  return new KbinError(`${name} cannot be restarted without losing quorum`, {
    host: name,
    step: 'restart etcd.service',
    why,
    next: 'Bring the other members up first, or accept a short downtime with --allow-downtime.',
  });
}
