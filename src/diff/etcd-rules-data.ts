import { sameId } from './etcd-identity.ts';
import { listedAndSilent, seemsReady, silent } from './etcd-silence.ts';
import { type Rule, stop, stopCluster, type Verdict } from './etcd-verdict.ts';
import type { EtcdView, MemberView } from './etcd-view.ts';
import { isRunning } from './unit.ts';

/** Hosts whose data directory is an etcd member's. */
export const dataRules: readonly Rule[] = [
  onlyWithData(markerMismatch),
  onlyWithData(otherMember),
  onlyWithData(otherCluster),
  onlyWithData(notListed),
  onlyWithData(otherName),
  onlyWithData(peerPortChanged),
  onlyWithData(addressChanged),
  onlyWithData(listed),
  onlyWithData(notAsked),
  onlyWithData(silent),
  onlyWithData(knownCluster),
  onlyWithData(cutOffBootstrap),
  onlyWithData(unknownData),
];

function onlyWithData(rule: Rule): Rule {
  return (view, member) => (member.data.state === 'data' ? rule(view, member) : undefined);
}

function markerMismatch({ cluster }: EtcdView, { data, marker }: MemberView) {
  const { identity } = data;
  if (identity === undefined || marker === undefined) return undefined;
  if (sameId(identity.clusterId, marker.clusterId) && sameId(identity.memberId, marker.memberId))
    return undefined;
  return stop('other-member', 'its data is not that of the member that kbin put there', {
    message: `${cluster.paths.etcd.data} is of member ${identity.memberId} of cluster ${identity.clusterId}; here was member ${marker.memberId} of cluster ${marker.clusterId}`,
    next: 'put the right data back; if it was exchanged on purpose (a restore), remove kbin-member.json beside etcd.conf',
  });
}

function otherMember({ cluster }: EtcdView, { host, marker }: MemberView) {
  if (marker === undefined || marker.name === host.name) return undefined;
  return stop('other-member', `its data is of member ${marker.name}`, {
    message: `${cluster.paths.etcd.data} belongs to member ${marker.name}, not to ${host.name}`,
    next: 'use the name in cluster.yaml that the member has, or move the data directory and kbin-member.json away',
  });
}

function otherCluster(view: EtcdView, { identity }: MemberView) {
  const known = view.live?.clusterId ?? view.storeClusterId ?? markedCluster(view);
  if (identity === undefined || known === undefined || sameId(identity.clusterId, known)) return undefined;
  return stop('other-cluster', 'its data is of another cluster', {
    message: `${view.cluster.paths.etcd.data} belongs to cluster ${identity.clusterId}, this is cluster ${known}`,
    next: 'nothing was touched; move the data directory away if it is not needed, and run kbin again',
  });
}

/** The cluster that kbin's markers on the hosts speak of; undefined when there are none. */
export function markedCluster({ members }: EtcdView): string | undefined {
  return members.find(({ marker }) => marker !== undefined)?.marker?.clusterId;
}

function notListed({ live, cluster }: EtcdView, { listed: member, identity, reading }: MemberView) {
  if (live === undefined || member !== undefined || (reading === undefined && !live.quorum)) return undefined;
  const who = identity === undefined ? '' : ` of member ${identity.memberId}`;
  return stop('removed-member', 'its data is of a member that the cluster does not have (any more)', {
    message: `${cluster.paths.etcd.data} is the data${who} that the running cluster does not list: it was removed, or never was one`,
    next: 'move the data directory away and run kbin again: the host then joins as a new member',
  });
}

function otherName(view: EtcdView, member: MemberView) {
  const { listed } = member;
  if (listed === undefined || !hasOtherName(member) || willBeRenamed(view, member)) return undefined;
  return stop('other-member', `etcd knows it as ${listed.name}`, {
    message: `the member on this host (${listed.id}, ${listed.peerUrls.join(', ')}) is called ${listed.name} in etcd`,
    next: `call the host ${listed.name} in cluster.yaml, or move ${view.cluster.paths.etcd.data} away if it is another member's`,
  });
}

function hasOtherName({ host, listed }: MemberView): boolean {
  return listed !== undefined && listed.name !== '' && listed.name !== host.name;
}

/**
 * A member that somebody else has set up under another name, as guides do (etcd-1): a member says what it is called each time
 * that it starts, and nothing goes by it. Its log and its address leave no doubt that it is this one.
 */
export function willBeRenamed({ live }: EtcdView, member: MemberView): boolean {
  const { host, peerUrl, identity, marker, listed } = member;
  return (
    hasOtherName(member) &&
    marker === undefined &&
    sameId(identity?.memberId, listed?.id) &&
    listed?.peerUrls.includes(peerUrl) === true &&
    live?.members.every(({ name }) => name !== host.name) === true
  );
}

/** A port is changed for all members at once, and those whose port has moved lose the others. */
function peerPortChanged({ cluster }: EtcdView, { host, listed: member }: MemberView) {
  const { peerPort } = cluster.etcd;
  const ports = (member?.peerUrls ?? []).filter((url) => hostOf(url) === host.address).map(portOf);
  if (ports.length === 0 || ports.includes(peerPort)) return undefined;
  return stopCluster('peer-port-changed', `its peers know it at port ${ports.join(', ')}`, {
    message: `cluster.yaml has \`etcd.peerPort: ${peerPort}\`, the members of the running cluster know each other at port ${ports.join(', ')}`,
    next: `set it back to ${ports[0]}: kbin does not move the peer port of a running cluster`,
  });
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: string): number {
  return Number(new URL(url).port || (url.startsWith('https:') ? 443 : 80));
}

function addressChanged(_view: EtcdView, { peerUrl, listed: member }: MemberView) {
  if (member === undefined || member.peerUrls.includes(peerUrl)) return undefined;
  return stop('address-changed', `etcd knows it at ${member.peerUrls.join(', ')}`, {
    message: `cluster.yaml puts this member at ${peerUrl}, the cluster knows it at ${member.peerUrls.join(', ')}`,
    next: `tell etcd first: \`etcdctl member update ${member.id} --peer-urls=${peerUrl}\`, then run kbin again`,
  });
}

function listed({ live }: EtcdView, member: MemberView): Verdict | undefined {
  if (live === undefined || member.listed === undefined) return undefined;
  if (member.reading === undefined) return listedAndSilent(member);
  return member.listed.isLearner
    ? { action: 'promote', reason: 'is a learner' }
    : { action: 'keep', reason: 'is a member and answers' };
}

function notAsked({ asked }: EtcdView, member: MemberView) {
  if (asked || !seemsReady(member)) return undefined;
  return { action: 'keep' as const, reason: 'runs; etcd itself was not asked' };
}

/** Nobody answers, but it is known whose data this is: a member with its data can always be started. */
function knownCluster(view: EtcdView, { identity, unit }: MemberView): Verdict | undefined {
  const known = view.storeClusterId ?? markedCluster(view);
  if (identity === undefined || known === undefined) return undefined;
  if (!isRunning(unit)) return { action: 'repair' as const, reason: 'is a member and does not run' };
  return {
    action: 'repair' as const,
    reason: 'is starting and waits for the others',
    wake: 'start' as const,
  };
}

/**
 * Data, but no sign that the cluster ever was healthy: a run that was cut off while it made the cluster. The ids in the
 * log prove that this is the cluster of cluster.yaml and nothing else.
 */
function cutOffBootstrap({ live, members }: EtcdView, member: MemberView) {
  if (!isOwnBootstrap(member)) return undefined;
  if (live !== undefined)
    return { action: 'wait' as const, reason: 'shows once the cluster has a quorum again' };
  if (members.some((other) => other.unreachable !== undefined)) {
    return { action: 'wait' as const, reason: 'a new cluster is made only when every host answers' };
  }
  return { action: 'bootstrap' as const, reason: 'a former run was cut off while it made the cluster' };
}

export function isOwnBootstrap({ data, bootstrap }: MemberView): boolean {
  return (
    data.identity !== undefined &&
    sameId(data.identity.clusterId, bootstrap?.clusterId) &&
    sameId(data.identity.memberId, bootstrap?.memberId)
  );
}

function unknownData({ cluster }: EtcdView, { identity }: MemberView) {
  const whose =
    identity === undefined
      ? 'that kbin cannot read'
      : `of a cluster that kbin does not know (${identity.clusterId})`;
  return stop('unknown-data', 'its data is of a cluster that kbin does not know', {
    message: `${cluster.paths.etcd.data} holds etcd data ${whose}, and that cluster does not run`,
    next: 'if it is the cluster you mean, start it as it was, so that kbin can ask it; if it is what a first `kbin etcd deploy` that was cut off left, and the etcd hosts (or `etcd.token`) of cluster.yaml were changed since, change them back and deploy, or move the data directory away on each host; otherwise move the data directory away',
  });
}
