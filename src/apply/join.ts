import { KbinError } from '../errors.ts';
import { type Cause, causeOf } from '../health/causes.ts';
import type { MemberClient } from '../health/etcd-client.ts';
import { waitForMember } from '../health/gates.ts';
import type { EtcdTarget } from '../health/target.ts';
import { commitment } from './commit.ts';
import { act } from './operations.ts';
import { type Member, ownPart, type Rollout, settle } from './rollout.ts';
import { whileAlive } from './unit.ts';
import { refusal, untilGranted } from './until-granted.ts';

/**
 * Adds a host's etcd to the member list as a learner: it copies the data and does not count for quorum yet. Returns when
 * it is listed; what its etcd.conf has to say follows from the list as it is then.
 */
export async function addLearner(
  rollout: Pick<Rollout, 'targets' | 'credentials' | 'progress' | 'within'>,
  { name, expected }: EtcdTarget,
): Promise<void> {
  rollout.progress.step(name, 'joining: becoming a learner');
  const peerUrls = expected?.peerUrls ?? [];
  const failure = await untilGranted(rollout, (client) => add(client, peerUrls), {
    onLast: (seen) => rollout.progress.step(name, `joining: etcd ${seen}`),
  });
  if (failure === undefined) return;
  throw new KbinError(`${name} could not be added to the cluster`, {
    host: name,
    step: 'add a learner',
    why: refusal(rollout, failure),
    next: failure.next,
  });
}

/** Why not, when not. One that is listed already, after an answer that was lost, is no failure. */
async function add(client: MemberClient, peerUrls: readonly string[]): Promise<Cause | undefined> {
  try {
    await client.addLearner(peerUrls);
    return undefined;
  } catch (error) {
    const listed = (await client.members()).some((member) => member.peerUrls.join() === peerUrls.join());
    return listed ? undefined : causeOf(error);
  }
}

/** Starts a member that is in the list already and waits until it has a copy of the data, then gives it its vote. */
export async function startAndPromote(rollout: Rollout, member: Member): Promise<void> {
  const { host, name, task, isLearner } = member;
  rollout.progress.step(name, 'starting');
  const began = await act(host, 'commit', commitment(task));
  const wait = (signal: AbortSignal) =>
    waitForMember(member.target, rollout.credentials, expectation(rollout, name, isLearner), {
      within: rollout.within,
      onLast: (seen) => rollout.progress.step(name, ownPart(name, seen) ?? seen),
      signal,
    });
  const reading = await whileAlive([{ host, unit: task.component.unit.name, began }], wait);
  if (isLearner && reading.status !== undefined) await promote(rollout, member, reading.status.memberId);
  else await settle(rollout, member, reading);
}

/** Gives a learner its vote as soon as etcd finds that it has caught up. */
export async function promote(rollout: Rollout, member: Member, memberId: string): Promise<void> {
  const { name, target } = member;
  rollout.progress.step(name, 'learner: catching up');
  const failure = await untilGranted(rollout, (client) => vote(client, memberId), {
    onLast: (seen) => rollout.progress.step(name, `learner: etcd ${seen}`),
  });
  if (failure !== undefined) throw notPromoted(name, refusal(rollout, failure));
  const reading = await waitForMember(target, rollout.credentials, expectation(rollout, name, false), {
    within: rollout.within,
    onLast: (seen) => rollout.progress.step(name, ownPart(name, seen) ?? seen),
  });
  await settle(rollout, member, reading);
}

/** Why not, when not. A member that has its vote already (a former run was cut off) is no failure. */
async function vote(client: MemberClient, memberId: string): Promise<Cause | undefined> {
  try {
    await client.promote(memberId);
    return undefined;
  } catch (error) {
    const listed = (await client.members()).find(({ id }) => id === memberId);
    return listed?.isLearner === false ? undefined : causeOf(error);
  }
}

function notPromoted(name: string, why: string): KbinError {
  return new KbinError(`${name} joined as a learner, but could not be given its vote`, {
    host: name,
    step: 'promote the learner',
    why,
    next: 'Run kbin again: it waits until the member has caught up and goes on from there.',
  });
}

function expectation(rollout: Rollout, name: string, isLearner: boolean) {
  return {
    others: rollout.targets.filter((other) => other.name !== name),
    role: isLearner ? ('learner' as const) : ('voter' as const),
    ...(rollout.clusterId === undefined ? {} : { clusterId: rollout.clusterId }),
  };
}
