/** One thing that was looked at, and what was found. Tables, JSON, JUnit and the gates of src/apply all read these. */
export interface Check {
  /** Stable id: `member-reachable`, `leader-agreed`, `membership`, `quorum-write`, `certificate-days`, … */
  readonly id: string;
  /** Host or endpoint; undefined for a check of the whole cluster. */
  readonly target?: string;
  readonly status: 'pass' | 'warn' | 'fail' | 'skip';
  /** What was seen, in a sentence. */
  readonly message: string;
  /** What to do about it; given for warn and fail. */
  readonly next?: string;
}

/** What etcd's members say of themselves. Ids are hex, as etcdctl prints them; sizes bytes; latency milliseconds. */
export interface MemberStatus {
  readonly endpoint: string;
  readonly host?: string;
  readonly reachable: boolean;
  readonly error?: string;
  readonly memberId?: string;
  readonly name?: string;
  readonly clusterId?: string;
  readonly version?: string;
  readonly role?: 'leader' | 'follower' | 'learner';
  readonly leaderId?: string;
  readonly raftTerm?: string;
  readonly raftIndex?: string;
  readonly dbSize?: number;
  readonly dbSizeInUse?: number;
  readonly quota?: number;
  readonly alarms?: readonly string[];
  readonly latencyMs?: number;
  /** Whole days that the certificate served on the wire is still valid. */
  readonly certificateDays?: number;
}

export interface EtcdHealth {
  readonly members: readonly MemberStatus[];
  readonly checks: readonly Check[];
}

export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every((check) => check.status !== 'fail');
}
