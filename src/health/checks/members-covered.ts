import type { Check } from '../check.ts';
import type { Judgement } from './index.ts';
import { leadsTo, listing, mainCluster, trustedMembership } from './main-cluster.ts';

/** For a cluster that only endpoints describe: each member should have one, each one a member. */
export const membersCovered: Judgement = (evidence) => {
  const members = trustedMembership(evidence);
  if (members === undefined || evidence.members.some(({ target }) => target.expected !== undefined))
    return [];
  const covered = new Set(mainCluster(evidence).map(({ status }) => status.memberId));
  const silent = evidence.members.filter(({ reading }) => reading.status === undefined);
  const left = members.filter((member) => !covered.has(member.id));
  // One that was never started advertises nothing yet; `membership` tells of it.
  const unmatched = left.filter(
    (member) => member.name !== '' && !evidence.members.some(({ target }) => leadsTo(target, member)),
  );
  const lost = silent.filter(({ target }) => !left.some((member) => leadsTo(target, member)));
  const checks: Check[] = unmatched.map((member) => ({
    id: 'members-covered',
    status: 'warn',
    message: `member ${member.name || member.id} (${listing(member.clientUrls)}) has no endpoint here, so nothing is known of it`,
    next: 'give its endpoint too',
  }));
  for (const { target } of lost) {
    checks.push({
      id: 'members-covered',
      target: target.name,
      status: 'warn',
      message: 'no member of the cluster advertises this endpoint',
      next: 'check the endpoint; the member may have been removed from the cluster',
    });
  }
  return checks.length > 0
    ? checks
    : [
        {
          id: 'members-covered',
          status: 'pass',
          message: `each of the ${members.length} members has an endpoint`,
        },
      ];
};
