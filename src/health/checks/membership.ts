import type { Check } from '../check.ts';
import type { LiveMember } from '../etcd-client.ts';
import type { Evidence } from '../evidence.ts';
import { canonical, type EtcdTarget } from '../target.ts';
import type { Judgement } from './index.ts';
import { answering, listing, mainCluster, trustedMembership } from './main-cluster.ts';

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

function fail(message: string, next: string, target?: string): Check {
  return { id: 'membership', status: 'fail', message, next, ...(target === undefined ? {} : { target }) };
}

/** Members that know another list of ids than the trusted one: removed, or cut off while it changed. */
function staleViews(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  return mainCluster(evidence).flatMap(({ target, status, reading }) => {
    if (!members.some(({ id }) => id === status.memberId)) {
      return [
        fail(
          `is not a member of the cluster (its id ${status.memberId} is not in the member list)`,
          'it was removed while it could not hear of it: stop it; add it again as a new member with an empty data directory',
          target.name,
        ),
      ];
    }
    const lacking = members.filter(({ id }) => !reading.members?.some((own) => own.id === id));
    const extra = reading.members?.filter(({ id }) => !members.some((other) => other.id === id)) ?? [];
    if (lacking.length + extra.length === 0) return [];
    const words = [
      ...lacking.map((member) => `lacks ${member.name || member.id}`),
      ...extra.map((member) => `still has ${member.name || member.id}`),
    ];
    return [
      fail(
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
      fail(
        `${listing(same.map(({ target }) => `${target.name} (${target.endpoint})`))} are one and the same member`,
        'give each member its own endpoint; a load balancer does not do here',
      ),
    );
}

function learners(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  return members
    .filter((member) => member.isLearner)
    .map((member) =>
      fail(
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
    fail(
      `the cluster has ${members.length} members, expected ${expected}`,
      'compare `etcdctl member list` with what the cluster should be',
    ),
  ];
}

/** What cluster.yaml says of a member against the member list: name and URLs. */
function differences(evidence: Evidence, target: EtcdTarget, members: readonly LiveMember[]): Check[] {
  const { expected } = target;
  if (expected === undefined) return [];
  const listed = members.find(({ name }) => name === expected.name);
  if (listed === undefined) {
    // One that has not started yet has no name.
    const unstarted = members.find(
      (member) => member.name === '' && sameUrls(member.peerUrls, expected.peerUrls),
    );
    return [
      fail(
        unstarted === undefined
          ? 'is not a member of the cluster'
          : 'was added to the cluster and has never started',
        unstarted === undefined
          ? 'run `kbin etcd deploy`'
          : 'run `kbin etcd deploy`, or start etcd on that host',
        target.name,
      ),
    ];
  }
  const answered = answering(evidence).find((member) => member.target.name === target.name)?.status.memberId;
  const checks: Check[] = [];
  if (answered !== undefined && answered !== listed.id && members.some(({ id }) => id === answered)) {
    const other = members.find(({ id }) => id === answered)?.name;
    checks.push(
      fail(`${target.endpoint} is answered by member ${other}`, 'check the addresses', target.name),
    );
  }
  if (!sameUrls(listed.peerUrls, expected.peerUrls))
    checks.push(urls('peer', listed.peerUrls, expected.peerUrls, target));
  // Clients learn these; a member that runs with others was configured by somebody else.
  if (!sameUrls(listed.clientUrls, expected.clientUrls)) {
    checks.push(urls('client', listed.clientUrls, expected.clientUrls, target));
  }
  return checks;
}

function urls(
  kind: string,
  listed: readonly string[],
  expected: readonly string[],
  target: EtcdTarget,
): Check {
  return fail(
    `advertises ${kind} URLs ${listed.join(', ') || 'none'}; cluster.yaml says ${expected.join(', ')}`,
    kind === 'peer' ? 'etcd keeps peer URLs in its data: `etcdctl member update`' : 'run `kbin etcd deploy`',
    target.name,
  );
}

/** Members that cluster.yaml does not know. Only where it describes the cluster; other clusters: see membersCovered. */
function strangers(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  const expected = evidence.members.flatMap(({ target }) => target.expected ?? []);
  if (expected.length === 0) return [];
  return members
    .filter(
      (member) =>
        !expected.some(({ name, peerUrls }) => name === member.name || sameUrls(peerUrls, member.peerUrls)),
    )
    .map((member) =>
      fail(
        `${member.name || member.id} (${listing(member.peerUrls)}) is a member, but not in cluster.yaml`,
        'add the host to cluster.yaml, or remove the member with `etcdctl member remove`',
      ),
    );
}

/** For a cluster that only endpoints describe: each member should have one, each one a member. */
export const membersCovered: Judgement = (evidence) => {
  const members = trustedMembership(evidence);
  if (members === undefined || evidence.members.some(({ target }) => target.expected !== undefined))
    return [];
  const covered = new Set(mainCluster(evidence).map(({ status }) => status.memberId));
  const silent = evidence.members.filter(({ reading }) => reading.status === undefined);
  const left = members.filter((member) => !covered.has(member.id));
  const unmatched = left.filter((member) => targetOf(evidence, member) === undefined);
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

/** The target that stands for a member: the one that answered with its id, else the one with its address. */
function targetOf(evidence: Evidence, member: LiveMember): EtcdTarget | undefined {
  const answered = answering(evidence).find(({ status }) => status.memberId === member.id);
  if (answered !== undefined) return answered.target;
  const silent = evidence.members.filter(({ reading }) => reading.status === undefined);
  return silent.find(({ target }) => target.expected?.name === member.name || leadsTo(target, member))
    ?.target;
}

function leadsTo(target: EtcdTarget, member: LiveMember): boolean {
  return member.clientUrls.some((url) => canonical(url) === canonical(target.endpoint));
}

function sameUrls(a: readonly string[], b: readonly string[]): boolean {
  return a.map(canonical).sort().join(' ') === b.map(canonical).sort().join(' ');
}
