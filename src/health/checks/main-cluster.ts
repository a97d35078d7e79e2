import type { Check } from '../check.ts';
import type { LiveMember, LiveStatus } from '../etcd-client.ts';
import type { Evidence, MemberEvidence } from '../evidence.ts';
import { canonical, type EtcdTarget } from '../target.ts';

/** A member that answered. */
export interface Answering extends MemberEvidence {
  readonly status: LiveStatus;
}

export function answering({ members }: Evidence): readonly Answering[] {
  return members.flatMap((member) => {
    const { status } = member.reading;
    return status === undefined ? [] : [{ ...member, status }];
  });
}

/** Targets that answered, by the cluster id they gave; the largest cluster first, ties in the order of the targets. */
export function byCluster(
  evidence: Evidence,
): readonly (readonly [clusterId: string, members: readonly Answering[]])[] {
  const groups = Map.groupBy(answering(evidence), ({ status }) => status.clusterId);
  return [...groups].sort(([, a], [, b]) => weight(b) - weight(a));
}

/** One with quorum counts more than any number without: a wiped member that started alone must not outvote the cluster. */
function weight(members: readonly Answering[]): number {
  return members.length + (members.some(({ reading }) => reading.quorum) ? 0.5 : 0);
}

/** The answering members of the cluster that all the targets should be of. */
export function mainCluster(evidence: Evidence): readonly Answering[] {
  return byCluster(evidence)[0]?.[1] ?? [];
}

/** The membership as the member knows it that is most to be trusted: the leader, then who has quorum, then anybody. */
export function trustedMembership(evidence: Evidence): readonly LiveMember[] | undefined {
  const main = mainCluster(evidence);
  const known = main.filter(({ reading }) => reading.members !== undefined);
  const trusted =
    known.find(({ status, reading }) => reading.quorum && status.leaderId === status.memberId) ??
    known.find(({ reading }) => reading.quorum) ??
    known[0];
  return trusted?.reading.members;
}

/** "node1", "node1 and node2", "node1, node2 and node3" */
export function listing(names: readonly string[]): string {
  const last = names.at(-1) ?? 'none';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

/** Name to show for a member id: the target's, else the member's own name, else the id. */
export function nameOf(evidence: Evidence, memberId: string): string {
  const target = answering(evidence).find(({ status }) => status.memberId === memberId)?.target.name;
  const member = trustedMembership(evidence)?.find(({ id }) => id === memberId);
  return target ?? (member?.name || memberId);
}

/** The target that stands for a member: the one that answered with its id, else the one with its address. */
export function targetOf(evidence: Evidence, member: LiveMember): EtcdTarget | undefined {
  const answered = answering(evidence).find(({ status }) => status.memberId === member.id);
  if (answered !== undefined) return answered.target;
  const silent = evidence.members.filter(({ reading }) => reading.status === undefined);
  return silent.find(({ target }) => target.expected?.name === member.name || leadsTo(target, member))
    ?.target;
}

export function leadsTo(target: EtcdTarget, member: LiveMember): boolean {
  return member.clientUrls.some((url) => canonical(url) === canonical(target.endpoint));
}

/** A failed check `membership`. */
export function membershipFailure(message: string, next: string, target?: string): Check {
  return { id: 'membership', status: 'fail', message, next, ...(target === undefined ? {} : { target }) };
}
