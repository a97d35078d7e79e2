import { type Joining, keptLines } from '../desired/components/etcd-joining.ts';
import type { PlanFinding } from './changes.ts';
import { sameId } from './etcd-identity.ts';
import { membershipRules } from './etcd-rules.ts';
import { willBeRenamed } from './etcd-rules-data.ts';
import type { MemberAction, Verdict, Wake } from './etcd-verdict.ts';
import { type EtcdFacts, type EtcdView, etcdView, type LiveCluster, type MemberView } from './etcd-view.ts';

export type { MemberAction } from './etcd-verdict.ts';
export type { EtcdFacts, EtcdReading, ListedMember, LiveCluster } from './etcd-view.ts';

export interface MemberDecision {
  readonly host: string;
  readonly action: MemberAction;
  /** Why, in a clause. */
  readonly reason: string;
  /** What `desire` needs to render this member's etcd.conf. */
  readonly joining: Joining;
  /** With `join`: the cluster has it in its list already (a former run was cut off), it only has to be started. */
  readonly added?: boolean;
  /** With `join`: kbin's marker of a member that was removed lies there and has to go before the start. */
  readonly staleMarker?: boolean;
  /** With `repair`: it runs, and does not answer. */
  readonly wake?: Wake;
  /** Hex, of a member that the running cluster lists. */
  readonly memberId?: string;
}

export interface MembershipDecision {
  /** One per etcd host of cluster.yaml, in its order. */
  readonly members: readonly MemberDecision[];
  readonly findings: readonly PlanFinding[];
  /** The running cluster, as far as somebody answered. */
  readonly live?: LiveCluster;
}

/**
 * The membership part of a plan (design: "etcd membership is not in cluster.yaml's power alone"). Pure. While any finding
 * of severity stop is there, nothing may be started or restarted.
 */
export function decideMembership(facts: EtcdFacts): MembershipDecision {
  const view = etcdView(facts);
  const verdicts = view.members.map((member) => ({ member, verdict: judge(view, member) }));
  return {
    members: verdicts.map(({ member, verdict }) => decision(view, member, verdict)),
    findings: [
      ...once(
        verdicts.flatMap(({ member, verdict: { finding, ofCluster } }) => {
          if (finding === undefined) return [];
          return [ofCluster === true ? finding : { host: member.host.name, ...finding }];
        }),
      ),
      ...clusterFindings(view),
    ],
    ...(view.live === undefined ? {} : { live: view.live }),
  };
}

function judge(view: EtcdView, member: MemberView): Verdict {
  for (const rule of membershipRules) {
    const verdict = rule(view, member);
    if (verdict !== undefined) return verdict;
  }
  throw new Error(`no membership rule for ${member.host.name}`);
}

function decision(view: EtcdView, member: MemberView, verdict: Verdict): MemberDecision {
  const { action, reason, added, staleMarker, wake } = verdict;
  return {
    host: member.host.name,
    action,
    reason,
    joining: joining(view, member, action),
    ...(added === undefined ? {} : { added }),
    ...(staleMarker === undefined ? {} : { staleMarker }),
    ...(wake === undefined ? {} : { wake }),
    ...(member.listed === undefined ? {} : { memberId: member.listed.id }),
  };
}

function joining({ live }: EtcdView, member: MemberView, action: MemberAction): Joining {
  if (action === 'bootstrap') return { kind: 'new' };
  if (action !== 'join' || live === undefined) return { kind: 'kept', lines: keptLines(member.etcdConf) };
  // One of the first members, never started so far: etcd lets it begin as the others did.
  if (sameId(member.listed?.id, member.bootstrap?.memberId)) return { kind: 'new' };
  return { kind: 'existing', initialCluster: initialClusterWith(live, member) };
}

/** Every member that is listed, and this one: etcd compares the peer URLs with those of the running cluster. */
function initialClusterWith({ members }: LiveCluster, { host, peerUrl, listed }: MemberView): string {
  const others = members.filter((member) => member !== listed);
  return [
    ...others.flatMap(({ id, name, peerUrls }) => peerUrls.map((url) => `${name || id}=${url}`)),
    `${host.name}=${peerUrl}`,
  ].join(',');
}

function once(findings: readonly PlanFinding[]): PlanFinding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function clusterFindings(view: EtcdView): PlanFinding[] {
  return [...askedThroughSsh(view), ...renamedMembers(view), ...unlistedMembers(view)];
}

/** It answers, and nothing has to be done to it; but other commands and tools on this machine will find it silent. */
function askedThroughSsh({ cluster, members }: EtcdView): PlanFinding[] {
  const { clientPort } = cluster.etcd;
  return members.flatMap(({ host, reading }): PlanFinding[] => {
    if (reading?.detour === undefined) return [];
    return [
      {
        severity: 'warning',
        host: host.name,
        code: 'port-closed',
        message: `port ${clientPort} is closed to this machine (${reading.detour}): its etcd was asked through SSH, and answers`,
        next: 'set `etcd: {reach: ssh}`, or open the port to this machine',
      },
    ];
  });
}

function renamedMembers(view: EtcdView): PlanFinding[] {
  return view.members
    .filter((member) => willBeRenamed(view, member))
    .map(({ host, listed }) => ({
      severity: 'warning',
      host: host.name,
      code: 'member-renamed',
      message: `etcd knows the member on this host as ${listed?.name}; from its restart on it is called ${host.name}`,
      next: `nothing, unless somebody goes by the name; to keep it, call the host ${listed?.name} in cluster.yaml`,
    }));
}

function unlistedMembers(view: EtcdView): PlanFinding[] {
  const { live, members } = view;
  const unlisted = (live?.members ?? []).filter(
    (listed) => !members.some((member) => member.listed?.id === listed.id),
  );
  return unlisted
    .filter(
      ({ name, peerUrls }) =>
        !members.some(({ host, peerUrl }) => host.name === name || peerUrls.includes(peerUrl)),
    )
    .map(({ id, name, peerUrls }) => ({
      severity: 'warning',
      code: 'unlisted-member',
      message: `member ${name || id} (${peerUrls.join(', ')}) of the running cluster is not in cluster.yaml`,
      next: `kbin leaves it alone; add the host to cluster.yaml, or remove it with \`etcdctl member remove ${id}\``,
    }));
}
