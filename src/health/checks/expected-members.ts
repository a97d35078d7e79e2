import type { Check } from '../check.ts';
import type { LiveMember } from '../etcd-client.ts';
import type { Evidence } from '../evidence.ts';
import { canonical, type EtcdTarget } from '../target.ts';
import { answering, listing, membershipFailure } from './main-cluster.ts';

/** What cluster.yaml says of a member against the member list: name and URLs. */
export function differences(evidence: Evidence, target: EtcdTarget, members: readonly LiveMember[]): Check[] {
  const { expected } = target;
  if (expected === undefined) return [];
  const listed =
    members.find(({ name }) => name === expected.name) ??
    members.find(({ peerUrls }) => sameUrls(peerUrls, expected.peerUrls));
  // One that has not started yet has no name.
  if (listed === undefined || listed.name === '') {
    return [
      membershipFailure(
        listed === undefined
          ? 'is not a member of the cluster'
          : 'was added to the cluster and has never started',
        listed === undefined
          ? 'run `kbin etcd deploy`'
          : 'run `kbin etcd deploy`, or start etcd on that host',
        target.name,
      ),
    ];
  }
  const answered = answering(evidence).find((member) => member.target.name === target.name)?.status.memberId;
  const checks: Check[] = [];
  if (listed.name !== expected.name) {
    checks.push(
      membershipFailure(
        `is called ${listed.name} in etcd; cluster.yaml says ${expected.name}`,
        'run `kbin etcd deploy`, or call the host as etcd does',
        target.name,
      ),
    );
  }
  if (answered !== undefined && answered !== listed.id && members.some(({ id }) => id === answered)) {
    const other = members.find(({ id }) => id === answered)?.name;
    checks.push(
      membershipFailure(
        `${target.endpoint} is answered by member ${other}`,
        'check the addresses',
        target.name,
      ),
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
  return membershipFailure(
    `advertises ${kind} URLs ${listed.join(', ') || 'none'}; cluster.yaml says ${expected.join(', ')}`,
    kind === 'peer' ? 'etcd keeps peer URLs in its data: `etcdctl member update`' : 'run `kbin etcd deploy`',
    target.name,
  );
}

/** Members that cluster.yaml does not know. Only where it describes the cluster; other clusters: see membersCovered. */
export function strangers(evidence: Evidence, members: readonly LiveMember[]): Check[] {
  const expected = evidence.members.flatMap(({ target }) => target.expected ?? []);
  if (expected.length === 0) return [];
  return members
    .filter(
      (member) =>
        !expected.some(({ name, peerUrls }) => name === member.name || sameUrls(peerUrls, member.peerUrls)),
    )
    .map((member) =>
      membershipFailure(
        `${member.name || member.id} (${listing(member.peerUrls)}) is a member, but not in cluster.yaml`,
        'add the host to cluster.yaml, or remove the member with `etcdctl member remove`',
      ),
    );
}

function sameUrls(a: readonly string[], b: readonly string[]): boolean {
  return a.map(canonical).sort().join(' ') === b.map(canonical).sort().join(' ');
}
