import type { MemberAction } from '../diff/etcd-membership.ts';
import { canRestart, healthyVoters } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import { commitAndProve } from './gate.ts';
import { promote } from './join.ts';
import { rollingRestart, wouldLoseQuorum } from './rolling.ts';
import { checkpoint, type Member, type Rollout, settle } from './rollout.ts';
import { stage } from './stage.ts';
import { settleTogether, startTogether } from './start.ts';

/** A member with what is to become of it. */
export interface DecidedMember extends Member {
  readonly action: MemberAction;
  /** Hex, when the running cluster lists it. */
  readonly memberId?: string;
}

/**
 * Brings members that exist, or are about to be a new cluster, to their desired state: uploads to all at once, then
 * those that are down, then what disturbs nobody, then restarts one at a time, then votes for learners.
 *
 * @returns the cluster's id; undefined when nobody was started and nobody answers.
 */
export async function rollOut(
  rollout: Rollout,
  members: readonly DecidedMember[],
  record: (clusterId: string) => Promise<void>,
): Promise<string | undefined> {
  const having = (...actions: MemberAction[]) => members.filter(({ action }) => actions.includes(action));
  const changing = having('bootstrap', 'repair', 'keep', 'promote').filter(hasChanges);
  await refuseLosingQuorum(rollout, changing);
  await stage(rollout, changing);
  checkpoint(rollout, 'everything is uploaded, and nothing of it is in force yet');

  const first = having('bootstrap');
  if (first.length > 0) return bootstrap(rollout, first, record);
  await repair(rollout, having('repair'));
  for (const member of having('keep', 'promote').filter(isQuiet)) {
    checkpoint(rollout, `before ${member.name} is changed`);
    await settle(rollout, member, await commitAndProve(rollout, member));
  }
  await rollingRestart(
    rollout,
    having('keep', 'promote').filter(({ task }) => task.plan.disruption !== 'none'),
  );
  for (const member of having('repair', 'promote').filter(({ isLearner }) => isLearner)) {
    checkpoint(rollout, `before ${member.name} gets its vote`);
    if (member.memberId !== undefined) await promote(rollout, member, member.memberId);
  }
  return rollout.clusterId;
}

async function bootstrap(
  rollout: Rollout,
  members: readonly Member[],
  record: (clusterId: string) => Promise<void>,
): Promise<string | undefined> {
  const readings = await startTogether(rollout, members);
  const clusterId = readings[0]?.status?.clusterId;
  if (clusterId !== undefined) await record(clusterId);
  await settleTogether(rollout, members, readings);
  return clusterId;
}

/** With a quorum, one member at a time; without one, all together, since none can be healthy before the others are. */
async function repair(rollout: Rollout, members: readonly Member[]): Promise<void> {
  if (members.length === 0) return;
  checkpoint(rollout, 'before members that are down are started');
  const voters = await healthyVoters(rollout.targets, rollout.credentials);
  if (voters.healthy.length === 0) {
    const readings: readonly MemberReading[] = await startTogether(rollout, members);
    return settleTogether(rollout, members, readings);
  }
  for (const member of members) {
    checkpoint(rollout, `before ${member.name} is started`);
    await settle(rollout, member, await commitAndProve(rollout, awake(member)));
  }
}

/** A member that systemd calls running and that does not answer is started anew. */
function awake(member: Member): Member {
  if (member.task.plan.disruption !== 'none') return member;
  return { ...member, task: { ...member.task, plan: { ...member.task.plan, disruption: 'restart' } } };
}

/** Before anything is uploaded: whether every restart that is to come will be allowed. */
async function refuseLosingQuorum(rollout: Rollout, changing: readonly DecidedMember[]): Promise<void> {
  const restarting = changing.filter(
    ({ action, task }) => action === 'keep' && task.plan.disruption === 'restart',
  );
  if (restarting.length === 0 || rollout.allowDowntime) return;
  const voters = await healthyVoters(rollout.targets, rollout.credentials);
  const repaired = changing.filter(({ action }) => action === 'repair').length;
  if (repaired > 0) return;
  for (const { name } of restarting) {
    const permission = canRestart(voters, name);
    if (!permission.allowed) throw wouldLoseQuorum(name, permission.why);
  }
}

function hasChanges({ task }: Member): boolean {
  return task.plan.changes.length > 0;
}

function isQuiet(member: Member): boolean {
  return hasChanges(member) && member.task.plan.disruption === 'none';
}
