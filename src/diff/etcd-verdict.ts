import type { PlanFinding } from './changes.ts';
import type { EtcdView, MemberView } from './etcd-view.ts';

/**
 * What is to be done with a host's etcd as a member (never: remove one).
 * - bootstrap: it is one of the first members of a new cluster; all of these are started at once.
 * - keep: it is a member and answers.
 * - repair: it is a member and does not answer: started before anything else is touched.
 * - promote: it is a learner and answers.
 * - join: it has no data and becomes a member: added as a learner unless `added`, then started.
 * - wait: what it is shows only once the others have a quorum; nothing is done now.
 * - stop: it must not be touched; a finding says why and what to do.
 * - unreachable: nothing is known of it.
 */
export type MemberAction =
  | 'bootstrap'
  | 'keep'
  | 'repair'
  | 'promote'
  | 'join'
  | 'wait'
  | 'stop'
  | 'unreachable';

/** What a rule says of one host. */
export interface Verdict {
  readonly action: MemberAction;
  /** Why, in a clause. */
  readonly reason: string;
  readonly finding?: Omit<PlanFinding, 'host'>;
  /** The finding is about the cluster, not about this host: it is told once. */
  readonly ofCluster?: true;
  readonly added?: boolean;
  readonly staleMarker?: boolean;
  readonly wake?: Wake;
}

/**
 * What a member goes through that systemd calls running and that does not answer, also where nothing differs on its
 * host. `start`: it is still starting and is waited for; `restart`.
 */
export type Wake = 'start' | 'restart';

/** Says what is to be done with a host, or nothing when the rule is not about its case. */
export type Rule = (view: EtcdView, member: MemberView) => Verdict | undefined;

export function stop(code: string, reason: string, text: { message: string; next: string }): Verdict {
  return { action: 'stop', reason, finding: { severity: 'stop', code, ...text } };
}

export function stopCluster(code: string, reason: string, text: { message: string; next: string }): Verdict {
  return { ...stop(code, reason, text), ofCluster: true };
}
