import type { Check } from '../check.ts';
import type { LiveMember } from '../etcd-client.ts';
import type { Evidence } from '../evidence.ts';
import { differences, strangers } from './expected-members.ts';
import type { Judgement } from './index.ts';
import {
  answering,
  listing,
  mainCluster,
  membershipFailure,
  targetOf,
  trustedMembership,
} from './main-cluster.ts';

/** Who is a member, as the members themselves say, against who should be. */
export const membership: Judgement = (evidence) => {
  const members = trustedMembership(evidence);
  if (members === undefined) return [];
  const problems = [
    ...staleViews(evidence, members),
    ...sharedMembers(evidence),
    ...learners(evidence, members),
    ...wrongNumber(evidence, members),
    ...evidence.members.flatMap(({ target }) =>
      target.expected === undefined ? [] : differences(evidence, target, members),
    ),
    ...strangers(evidence, members),
  ];
  if (problems.length > 0) return problems;
  const names = listing(members.map((member) => member.name || member.id));
  return [{ id: 'membership', status: 'pass', message: `${members.length} members: ${names}` }];
};

/** Members that know another list of ids than the trusted one: removed, or cut off while it changed. */
function staleViews(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  return mainCluster(evidence).flatMap(({ target, status, reading }) => {
    if (!members.some(({ id }) => id === status.memberId)) {
      return [
        membershipFailure(
          `is not a member of the cluster (its id ${status.memberId} is not in the member list)`,
          'it was removed while it could not hear of it: stop it; add it again as a new member with an empty data directory',
          target.name,
        ),
      ];
    }
    // A learner does not tell its list.
    const own = reading.members ?? members;
    const lacking = members.filter(({ id }) => !own.some((other) => other.id === id));
    const extra = own.filter(({ id }) => !members.some((other) => other.id === id));
    if (lacking.length + extra.length === 0) return [];
    const words = [
      ...lacking.map((member) => `lacks ${member.name || member.id}`),
      ...extra.map((member) => `still has ${member.name || member.id}`),
    ];
    return [
      membershipFailure(
        `its member list ${words.join(', ')}`,
        'it is behind or cut off: see its peer connections, then look again',
        target.name,
      ),
    ];
  });
}

/** Two endpoints that lead to one member prove nothing about another. */
function sharedMembers(evidence: Evidence): Check[] {
  const byId = Map.groupBy(answering(evidence), ({ status }) => status.memberId);
  return [...byId.values()]
    .filter((same) => same.length > 1)
    .map((same) =>
      membershipFailure(
        `${listing(same.map(({ target }) => `${target.name} (${target.endpoint})`))} are one and the same member`,
        'give each member its own endpoint; a load balancer does not do here',
      ),
    );
}

function learners(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  return members
    .filter((member) => member.isLearner)
    .map((member) =>
      membershipFailure(
        member.name === ''
          ? `a learner was added and has never started (${listing(member.peerUrls)})`
          : 'is a learner that was never promoted: it has no vote',
        'promote it (`etcdctl member promote ID`), or remove it',
        member.name === '' ? undefined : (targetOf(evidence, member)?.name ?? member.name),
      ),
    );
}

function wrongNumber(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  const expected = evidence.expectMembers;
  if (expected === undefined || members.length === expected) return [];
  return [
    membershipFailure(
      `the cluster has ${members.length} members, expected ${expected}`,
      'compare `etcdctl member list` with what the cluster should be',
    ),
  ];
}
