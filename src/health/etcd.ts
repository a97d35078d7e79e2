import { unlessAborted } from './aborted.ts';
import { sendCanary } from './canary.ts';
import type { EtcdHealth, MemberStatus } from './check.ts';
import { judge } from './checks/index.ts';
import { defaultDeadlineMs } from './etcd-client.ts';
import { type Evidence, gather, type MemberEvidence } from './evidence.ts';
import type { MemberReading } from './live.ts';
import type { EtcdCredentials, EtcdTarget } from './target.ts';
import { daysLeft } from './wire.ts';

export interface HealthOptions {
  /** Milliseconds for one call; the whole run takes at most about eight times that. Default 5000. */
  readonly deadlineMs?: number;
  /** What "days left" counts from; default now. */
  readonly now?: Date;
  /** How many voting members there should be; default: one per target. */
  readonly expectMembers?: number;
  /** Ends the run early, but not before the canary key is gone; it then rejects with a KbinError. */
  readonly signal?: AbortSignal;
}

/**
 * Looks at all members at once, writes and deletes one canary key where there is quorum, and judges what was seen.
 * Never rejects because of a member: what is wrong is a failed check. Changes nothing but the canary key.
 */
export function etcdHealth(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  options: HealthOptions = {},
): Promise<EtcdHealth> {
  return examineEtcd(targets, credentials, options).health;
}

/** As etcdHealth, for callers who need what the members answered before it is judged, and do not want to ask twice. */
export function examineEtcd(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  options: HealthOptions = {},
): { readonly readings: Promise<readonly MemberReading[]>; readonly health: Promise<EtcdHealth> } {
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  const gathering = Promise.all(targets.map((target) => gather(target, credentials, deadlineMs)));
  return {
    readings: gathering.then((members) => members.map(({ reading }) => reading)),
    health: healthOf(gathering, credentials, options, deadlineMs),
  };
}

async function healthOf(
  gathering: Promise<readonly MemberEvidence[]>,
  credentials: EtcdCredentials,
  options: HealthOptions,
  deadlineMs: number,
): Promise<EtcdHealth> {
  const members = await unlessAborted(gathering, options.signal);
  const readings = members.map(({ reading }) => reading);
  const canary = await sendCanary(readings, credentials, deadlineMs, options.signal);
  const evidence: Evidence = {
    members,
    canary,
    now: options.now ?? new Date(),
    ...(options.expectMembers === undefined ? {} : { expectMembers: options.expectMembers }),
  };
  return { members: members.map((member) => toStatus(member, evidence.now)), checks: judge(evidence) };
}

function toStatus({ target, reading, client, quota }: MemberEvidence, now: Date): MemberStatus {
  const leaf = client.served?.chain[0];
  const base = {
    endpoint: target.endpoint,
    host: target.name,
    ...(leaf === undefined ? {} : { certificateDays: daysLeft(leaf, now) }),
  };
  const { status } = reading;
  if (status === undefined)
    return { ...base, reachable: false, error: reading.failure?.message ?? 'no answer' };
  const name = reading.members?.find((member) => member.id === status.memberId)?.name;
  return {
    ...base,
    reachable: true,
    memberId: status.memberId,
    clusterId: status.clusterId,
    version: status.version,
    role: status.isLearner ? 'learner' : status.leaderId === status.memberId ? 'leader' : 'follower',
    raftTerm: status.raftTerm,
    raftIndex: status.raftIndex,
    dbSize: status.dbSize,
    dbSizeInUse: status.dbSizeInUse,
    alarms: status.alarms.filter(({ memberId }) => memberId === status.memberId).map(({ alarm }) => alarm),
    ...(name === undefined ? {} : { name }),
    ...(status.leaderId === undefined ? {} : { leaderId: status.leaderId }),
    ...(quota === undefined ? {} : { quota }),
    ...(reading.latencyMs === undefined ? {} : { latencyMs: Math.round(reading.latencyMs * 10) / 10 }),
  };
}
