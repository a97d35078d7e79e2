import { KbinError } from '../errors.ts';
import { causeOf } from './causes.ts';
import { openMember } from './etcd-client.ts';
import { type MemberReading, readMembers } from './live.ts';
import { type Patience, poll } from './poll.ts';
import { isQuorum } from './quorum.ts';
import type { EtcdCredentials, EtcdTarget } from './target.ts';
import { describe, type Voters, votersOf } from './voters.ts';

export type { Patience } from './poll.ts';
export { canRestart, describe, type Permission, type Voters, votersOf } from './voters.ts';

/** Milliseconds one call may take inside a wait. */
const callDeadlineMs = 3000;
/** A member this many raft entries behind the leader counts as caught up: a busy cluster moves while we look. */
const caughtUpWithin = 100n;

export interface Quorum {
  readonly clusterId: string;
  readonly leaderId: string;
  readonly readings: readonly MemberReading[];
}

/** Waits until a majority of the targets answer, name one leader of one cluster, and read linearizably. */
export function waitForQuorum(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  patience: Patience,
): Promise<Quorum> {
  return poll(`quorum of ${targets.length} etcd members`, patience, async () => {
    const readings = await readMembers(targets, credentials, callDeadlineMs);
    const agreeing = readings.filter((reading) => reading.quorum && reading.status?.leaderId !== undefined);
    const first = agreeing[0]?.status;
    const same = agreeing.filter(
      ({ status }) => status?.clusterId === first?.clusterId && status?.leaderId === first?.leaderId,
    );
    if (first?.leaderId !== undefined && isQuorum(same.length, targets.length)) {
      return { done: { clusterId: first.clusterId, leaderId: first.leaderId, readings } };
    }
    return { seen: describe(readings) };
  });
}

export interface MemberExpectation {
  /** Hex; from before the restart, or the store. Another one is an error at once, not a wait. */
  readonly clusterId?: string;
  readonly memberId?: string;
  /** Default voter; `learner`: it need not have its vote yet. */
  readonly role?: 'voter' | 'learner';
  /** The others, to compare raft indices with. Default: not compared. */
  readonly others?: readonly EtcdTarget[];
}

/** Waits until this member answers, belongs, knows a leader, has quorum behind it, and has caught up with the others. */
export function waitForMember(
  target: EtcdTarget,
  credentials: EtcdCredentials,
  expected: MemberExpectation,
  patience: Patience,
): Promise<MemberReading> {
  return poll(`etcd member ${target.name} to be healthy`, patience, async () => {
    const [reading, ...others] = await readMembers(
      [target, ...(expected.others ?? [])],
      credentials,
      callDeadlineMs,
    );
    if (reading === undefined) throw new Error('no reading for a target');
    refuseStranger(reading, expected);
    const seen = shortcoming(reading, others, expected.role ?? 'voter');
    return seen === undefined ? { done: reading } : { seen: `${target.name}: ${seen}` };
  });
}

/** Waits until every target is a healthy voter of one cluster. */
export async function waitForAll(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  patience: Patience,
): Promise<readonly MemberReading[]> {
  return poll(`all ${targets.length} etcd members to be healthy`, patience, async () => {
    const readings = await readMembers(targets, credentials, callDeadlineMs);
    const lacking = readings
      .map((reading) => {
        const seen = shortcoming(reading, readings, 'voter');
        return seen === undefined ? undefined : `${reading.target.name}: ${seen}`;
      })
      .filter((text) => text !== undefined);
    return lacking.length === 0 ? { done: readings } : { seen: lacking.join('; ') };
  });
}

/** What this member still lacks to be healthy, as a clause; undefined when it lacks nothing. */
function shortcoming(
  reading: MemberReading,
  others: readonly MemberReading[],
  role: 'voter' | 'learner',
): string | undefined {
  const { status } = reading;
  if (status === undefined) return reading.failure?.message ?? 'does not answer';
  if (status.leaderId === undefined) return 'knows no leader';
  if (role === 'voter' && status.isLearner) return 'is still a learner';
  // A learner serves no linearizable read.
  if (role === 'voter' && !reading.quorum) return reading.noQuorum?.message ?? 'has no quorum';
  const indices = others
    .filter((other) => other.status?.clusterId === status.clusterId)
    .map((other) => BigInt(other.status?.appliedIndex ?? 0));
  const behind = greatest(indices) - BigInt(status.appliedIndex);
  return behind > caughtUpWithin ? `is ${behind} raft entries behind` : undefined;
}

function greatest(values: readonly bigint[]): bigint {
  let most = 0n;
  for (const value of values) if (value > most) most = value;
  return most;
}

function refuseStranger(reading: MemberReading, expected: MemberExpectation): void {
  const { status, target } = reading;
  if (status === undefined) return;
  if (expected.clusterId !== undefined && status.clusterId !== expected.clusterId) {
    throw new KbinError(`etcd on ${target.name} belongs to another cluster`, {
      host: target.name,
      why: `it says cluster id ${status.clusterId}, expected ${expected.clusterId}`,
      next: 'look at its data directory and initial-cluster settings; kbin does not touch the data',
    });
  }
  if (expected.memberId !== undefined && status.memberId !== expected.memberId) {
    throw new KbinError(`etcd on ${target.name} is another member than before`, {
      host: target.name,
      why: `it says member id ${status.memberId}, expected ${expected.memberId}`,
      next: 'look at its data directory; kbin does not touch the data',
    });
  }
}

/** One look, no wait. */
export async function healthyVoters(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  deadlineMs = callDeadlineMs,
): Promise<Voters> {
  return votersOf(await readMembers(targets, credentials, deadlineMs));
}

/** Waits until some target says who leads. */
export function findLeader(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  patience: Patience,
): Promise<MemberReading> {
  return poll('an etcd leader', patience, async () => {
    const { leader, leaderId, readings } = await healthyVoters(targets, credentials);
    if (leader !== undefined) return { done: leader };
    return {
      seen: leaderId === undefined ? describe(readings) : `the leader ${leaderId} is none of the targets`,
    };
  });
}

/**
 * Makes another healthy voter the leader when `name` leads now, and waits until everybody says so. The one that has
 * caught up furthest is asked first. Returns who leads in the end; nothing happens when `name` does not lead.
 */
export async function moveLeaderAway(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  name: string,
  patience: Patience,
): Promise<MemberReading> {
  return poll(`leadership to leave ${name}`, patience, async () => {
    const { leader, healthy, readings } = await healthyVoters(targets, credentials);
    if (leader === undefined) return { seen: describe(readings) };
    if (leader.target.name !== name) return { done: leader };
    const heir = healthy.filter((reading) => reading.target.name !== name).sort(furthestFirst)[0];
    if (heir?.status === undefined) return { seen: `${name} leads, and no other voter is healthy` };
    return { seen: await handOver(leader.target, credentials, heir) };
  });
}

async function handOver(
  leader: EtcdTarget,
  credentials: EtcdCredentials,
  heir: MemberReading,
): Promise<string> {
  const client = await openMember(leader, credentials, callDeadlineMs);
  try {
    await client.moveLeader(heir.status?.memberId ?? '0');
    return `asked ${leader.name} to hand over to ${heir.target.name}`;
  } catch (error) {
    return `${leader.name} did not hand over to ${heir.target.name}: ${causeOf(error).message}`;
  } finally {
    await client.close();
  }
}

function furthestFirst(a: MemberReading, b: MemberReading): number {
  const difference = BigInt(b.status?.appliedIndex ?? 0) - BigInt(a.status?.appliedIndex ?? 0);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}
