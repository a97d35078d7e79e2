import type { MemberAction } from '../diff/etcd-membership.ts';
import { canRestart, healthyVoters } from '../health/gates.ts';
import { commitMember } from './etcd-proof.ts';
import { promote } from './join.ts';
import { unprovenPlaces } from './leftovers.ts';
import { refuseUnwelcomePeer } from './peers.ts';
import { rollingRestart, wouldLoseQuorum } from './rolling.ts';
import { type Member, type Rollout, settle } from './rollout.ts';
import { stage } from './stage.ts';
import { settleTogether, startTogether } from './start.ts';
import { refuseWaking, wake } from './wake.ts';
import { checkpoint, onAll } from './work.ts';

/** A member with what is to become of it. */
export interface DecidedMember extends Member {
  readonly action: MemberAction;
  /** Hex, when the running cluster lists it. */
  readonly memberId?: string;
}

/**
 * Brings members that exist, or are about to be a new cluster, to their desired state: uploads to all at once, then
 * those that are down, then those that run and do not answer, then what a run that was cut off has changed and not
 * proven, then what disturbs nobody, then restarts one at a time, then votes for learners.
 */
export async function rollOut(
  rollout: Rollout,
  members: readonly DecidedMember[],
  record: (clusterId: string) => Promise<void>,
): Promise<RolledOut> {
  const having = (...actions: MemberAction[]) => members.filter(({ action }) => actions.includes(action));
  const changing = having('bootstrap', 'repair', 'keep', 'promote').filter(hasChanges);
  await refuseLosingQuorum(rollout, changing);
  await refuseUnwelcomePeers(rollout, changing);
  await stage(rollout, changing);
  checkpoint(rollout, 'everything is uploaded, and nothing of it is in force yet');

  const first = having('bootstrap');
  if (first.length > 0) return { ...(await bootstrap(rollout, first, record)), spared: [] };
  const spared = await repair(rollout, having('repair'));
  const quiet = having('keep', 'promote').filter(isQuiet);
  for (const member of [...quiet.filter(isUnproven), ...quiet.filter((one) => !isUnproven(one))]) {
    checkpoint(rollout, `before ${member.name} is changed`);
    await settle(rollout, member, await commitMember(rollout, member));
  }
  await rollingRestart(
    rollout,
    having('keep', 'promote').filter(({ task }) => task.plan.disruption !== 'none'),
  );
  for (const member of having('repair', 'promote').filter(({ isLearner }) => isLearner)) {
    checkpoint(rollout, `before ${member.name} gets its vote`);
    if (member.memberId !== undefined) await promote(rollout, member, member.memberId);
  }
  return { ...idOf(rollout.clusterId), spared };
}

export interface RolledOut {
  /** undefined when nobody was started and nobody answers. */
  readonly clusterId?: string;
  /** Names of members whose restart was in the plan and turned out not to be needed. */
  readonly spared: readonly string[];
}

function idOf(clusterId: string | undefined): { clusterId?: string } {
  return clusterId === undefined ? {} : { clusterId };
}

async function bootstrap(
  rollout: Rollout,
  members: readonly Member[],
  record: (clusterId: string) => Promise<void>,
): Promise<{ clusterId?: string }> {
  const readings = await startTogether(rollout, members);
  const clusterId = readings[0]?.status?.clusterId;
  if (clusterId !== undefined) await record(clusterId);
  await settleTogether(rollout, members, readings);
  return idOf(clusterId);
}

/**
 * Those that are down first: with them back, one that only does not answer may be restarted. With a quorum, one at a
 * time; without one, all together, since none can be healthy before the others are.
 */
async function repair(rollout: Rollout, members: readonly Member[]): Promise<string[]> {
  if (members.length === 0) return [];
  checkpoint(rollout, 'before members that are down are started');
  const { healthy } = await healthyVoters(rollout.targets, rollout.credentials);
  const first = members.filter((member) => isDown(member) || (healthy.length === 0 && isStarting(member)));
  const together = healthy.length === 0 ? first.filter(({ isLearner }) => !isLearner) : [];
  if (together.length > 0) {
    await settleTogether(rollout, together, await startTogether(rollout, together));
  }
  for (const member of first.filter((one) => !together.includes(one))) {
    checkpoint(rollout, `before ${member.name} is started`);
    await settle(rollout, member, await commitMember(rollout, member));
  }
  return wake(
    rollout,
    members.filter((member) => !first.includes(member)),
  );
}

function isDown({ task }: Member): boolean {
  return task.plan.disruption === 'start';
}

/** It was never ready since it was started, so where nobody is healthy there is nothing that it could be missed in. */
function isStarting({ task: { component, observed } }: Member): boolean {
  return observed.units.get(component.unit.name)?.activeState !== 'active';
}

/** Before anything is uploaded: whether every restart that is to come will be allowed. Those that are down come back first. */
async function refuseLosingQuorum(rollout: Rollout, changing: readonly DecidedMember[]): Promise<void> {
  const repaired = changing.filter(({ action }) => action === 'repair');
  if (rollout.allowDowntime || repaired.some(isDown)) return;
  await refuseWaking(rollout, repaired);
  const restarting = changing.filter(
    ({ action, task }) => action === 'keep' && task.plan.disruption === 'restart',
  );
  if (restarting.length === 0 || repaired.length > 0) return;
  const voters = await healthyVoters(rollout.targets, rollout.credentials);
  for (const { name } of restarting) {
    const permission = canRestart(voters, name);
    if (!permission.allowed) throw wouldLoseQuorum(name, permission.why);
  }
}

/** Before anything is uploaded. What is down altogether can only get better. */
async function refuseUnwelcomePeers(rollout: Rollout, changing: readonly DecidedMember[]): Promise<void> {
  if (rollout.allowDowntime) return;
  await onAll(rollout, changing, (member) => refuseUnwelcomePeer(rollout, member));
}

function hasChanges({ task }: Member): boolean {
  return task.plan.changes.length > 0;
}

/** To be changed, or at least to be proven, without a restart. */
function isQuiet(member: Member): boolean {
  return (hasChanges(member) || isUnproven(member)) && member.task.plan.disruption === 'none';
}

function isUnproven({ task }: Member): boolean {
  return unprovenPlaces(task).length > 0;
}
