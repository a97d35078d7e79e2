/** desired − observed. Plain data: `kbin plan --json` prints it, src/apply carries it out, an empty one is "nothing to do". */
export interface Plan {
  readonly hosts: readonly HostPlan[];
  /** What differs inside Kubernetes: objects that kbin keeps there (RBAC). Empty when its API was not asked. */
  readonly objects: readonly Change[];
  /** What stops an apply, or should be known before one. */
  readonly findings: readonly PlanFinding[];
  /** Hosts that did not answer, with the reason; the plan is incomplete when there are any. */
  readonly unreachable: readonly UnreachableHost[];
}

export interface UnreachableHost {
  readonly host: string;
  readonly reason: string;
  /** What to do about it, where that is known. */
  readonly next?: string;
}

export interface HostPlan {
  readonly host: string;
  readonly component: string;
  readonly changes: readonly Change[];
  /** What the running component goes through: nothing, a start, or a restart. */
  readonly disruption: 'none' | 'start' | 'restart';
  /** The restart is only for a process that runs and does not answer: it is left out where the other changes help. */
  readonly onlyToWake?: true;
}

export interface Change {
  /** `member`: the host's place in etcd's member list (src/diff/etcd-membership.ts). `object`: in Kubernetes' API. */
  readonly kind: 'account' | 'directory' | 'file' | 'bundle' | 'unit' | 'member' | 'object';
  /** Path, unit, account, member name, or object (`ClusterRoleBinding/kbin:node-bootstrapper`). */
  readonly target: string;
  readonly action: 'create' | 'update' | 'reload' | 'enable' | 'start' | 'restart' | 'join' | 'promote';
  /** Why, for a reader: "content differs", "mode 0644, wanted 0600", "runs with former settings". */
  readonly reason: string;
  /** Unified diff; text files only, never secrets. */
  readonly diff?: string;
}

export interface PlanFinding {
  readonly severity: 'stop' | 'warning';
  readonly host?: string;
  /** Stable id: `foreign-data`, `empty-known-member`, `port-taken`, `wrong-architecture`, `clock-skew`, … */
  readonly code: string;
  readonly message: string;
  readonly next: string;
  /** Because of this, part of what should be was not compared with what is. */
  readonly gap?: Gap;
}

export interface Gap {
  /** In a clause: `the programs on the hosts were not compared`. */
  readonly what: string;
  /**
   * Whether the plan is incomplete for it, as with a host that does not answer. Not so where the machine was never meant
   * to do more: one without the private keys compares everything there is, and cannot ask etcd.
   */
  readonly incomplete: boolean;
}

/** Every host was looked at, and everything on it was compared. */
export function isComplete({ unreachable, findings }: Plan): boolean {
  return unreachable.length === 0 && !findings.some(({ gap }) => gap?.incomplete === true);
}

export function isEmpty(plan: Plan): boolean {
  return plan.objects.length === 0 && plan.hosts.every((host) => host.changes.length === 0);
}
