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

/** What one program of the control plane says of itself. */
export interface ComponentStatus {
  readonly reachable: boolean;
  /** What /readyz or /healthz says. */
  readonly healthy: boolean;
  readonly error?: string;
  /** Its host says that nothing listens on its port: mostly it is stopped, or was never there. */
  readonly nothingListens?: true;
  /** major.minor.patch without `v`. */
  readonly version?: string;
  /** It holds the lease; not told of apiservers, which all work at once. */
  readonly leader?: boolean;
  readonly latencyMs?: number;
  /** Whole days that the certificate served on the wire is still valid. */
  readonly certificateDays?: number;
}

/** The control plane of one host. */
export interface ControlPlaneStatus {
  readonly host: string;
  /** Of the apiserver: `https://192.168.31.71:6443`. */
  readonly endpoint: string;
  readonly apiserver: ComponentStatus;
  readonly controllerManager: ComponentStatus;
  readonly scheduler: ComponentStatus;
}

export interface ControlPlaneHealth {
  readonly hosts: readonly ControlPlaneStatus[];
  readonly checks: readonly Check[];
}

export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every((check) => check.status !== 'fail');
}
