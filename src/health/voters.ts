import type { MemberReading } from './live.ts';
import { isQuorum, quorumOf } from './quorum.ts';

/** The live voters: who has a vote, by the membership that most targets report, and which of them are healthy now. */
export interface Voters {
  readonly total: number;
  readonly quorum: number;
  /** Targets that are voters, answer, know the leader and read linearizably. */
  readonly healthy: readonly MemberReading[];
  readonly leader?: MemberReading;
  readonly leaderId?: string;
  readonly readings: readonly MemberReading[];
}

/** Pure. Members that the cluster knows but no target covers count as voters that are not healthy. */
export function votersOf(readings: readonly MemberReading[]): Voters {
  const healthy = readings.filter(
    (reading) => reading.quorum && reading.status?.leaderId !== undefined && !reading.status.isLearner,
  );
  // One that reads linearizably also knows the true membership; a stale one may not.
  const membership = (healthy[0] ?? readings.find((reading) => reading.members !== undefined))?.members;
  const total = membership?.filter((member) => !member.isLearner).length ?? readings.length;
  const leaderId = healthy[0]?.status?.leaderId;
  const leader = readings.find((reading) => leaderId !== undefined && reading.status?.memberId === leaderId);
  return {
    total,
    quorum: quorumOf(total),
    healthy,
    readings,
    ...(leaderId === undefined ? {} : { leaderId }),
    ...(leader === undefined ? {} : { leader }),
  };
}

export type Permission = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

/** A member may be restarted only when the other healthy voters alone are a quorum. Pure; `name` is a target's. */
export function canRestart(voters: Voters, name: string): Permission {
  const others = voters.healthy.filter((reading) => reading.target.name !== name);
  const self = voters.readings.find((reading) => reading.target.name === name);
  if (self?.status?.isLearner || isQuorum(others.length, voters.total)) return { allowed: true };
  const names = others.map((reading) => reading.target.name).join(', ') || 'none';
  return {
    allowed: false,
    why:
      `without ${name} ${others.length} of ${voters.total} voting members would be left healthy (${names}), ` +
      `and ${voters.quorum} are needed for quorum`,
  };
}

/** "2 of 3 members answer, no leader; node2 refuses connections: nothing listens there" */
export function describe(readings: readonly MemberReading[]): string {
  const answering = readings.filter((reading) => reading.status !== undefined);
  const leaders = new Set(answering.map((reading) => reading.status?.leaderId));
  leaders.delete(undefined);
  const leader =
    leaders.size === 0
      ? 'no leader'
      : leaders.size === 1
        ? `leader ${[...leaders][0]}`
        : 'they name different leaders';
  const silent = readings
    .filter((reading) => reading.failure !== undefined)
    .map((reading) => `; ${reading.target.name} ${reading.failure?.message}`);
  return `${answering.length} of ${readings.length} members answer, ${leader}${silent.join('')}`;
}
