import type { Cluster } from '../cluster/cluster.ts';
import { membersAtJoining, sameId } from './etcd-identity.ts';
import { isOwnBootstrap, markedCluster } from './etcd-rules-data.ts';
import { type Rule, stop, stopCluster } from './etcd-verdict.ts';
import type { EtcdView, MemberView } from './etcd-view.ts';

/** Hosts whose data directory is empty or not there. */
export const noDataRules: readonly Rule[] = [
  neverStarted,
  emptyListed,
  allEmpty,
  emptyMarked,
  join,
  joinLater,
  incomplete,
  bootstrapGoesOn,
  othersHaveData,
  clusterLost,
  newCluster,
];

/** In the member list, but it never ran: a run was cut off between adding and starting it, or while it made the cluster. */
function neverStarted({ live }: EtcdView, { listed, marker }: MemberView) {
  if (live === undefined || listed === undefined || listed.clientUrls.length > 0) return undefined;
  if (marker !== undefined && sameId(marker.memberId, listed.id)) return undefined;
  return {
    action: 'join' as const,
    reason: 'was added to the cluster and never started',
    added: true,
    ...staleMarker(marker),
  };
}

/**
 * etcd has it as a member that has run. Started with an empty directory it would come back under its old id with a blank
 * log, and could vote twice: it is taken out and added as somebody new, or gets its data back.
 */
function emptyListed({ live, cluster }: EtcdView, { listed }: MemberView) {
  if (live === undefined || listed === undefined) return undefined;
  return emptyKnown(cluster, live, listed.id, `the cluster has it as member ${listed.id}`);
}

function emptyMarked({ live, cluster }: EtcdView, { marker }: MemberView) {
  if (marker === undefined) return undefined;
  if (live?.quorum === true && !live.members.some(({ id }) => sameId(id, marker.memberId))) return undefined;
  return emptyKnown(cluster, live, marker.memberId, `member ${marker.memberId} lived here`);
}

/** A member is taken out of a cluster by a majority of its members; without one there is nobody to do it. */
function emptyKnown({ paths }: Cluster, live: EtcdView['live'], id: string, who: string) {
  const lost =
    live?.quorum === false
      ? 'if it is lost, bring other members back first: without a quorum nothing can be changed, and when none can be had, restore the cluster from a snapshot'
      : `if it is lost, remove the member (\`etcdctl member remove ${id}\` on a host of a healthy member, with the certificates in ${paths.etcd.tls}) and run \`kbin etcd deploy\` again: it joins anew as a learner`;
  return stop('empty-known-member', 'is a member whose log is gone', {
    message: `${paths.etcd.data} holds no member’s log, but ${who}; started like this it would come back with a blank one`,
    next: `if the data is only not there (a disk that is not mounted), bring it back; ${lost}`,
  });
}

function join({ live }: EtcdView, { marker }: MemberView) {
  if (live?.quorum !== true) return undefined;
  return { action: 'join' as const, reason: 'is new to the cluster', ...staleMarker(marker) };
}

function staleMarker(marker: MemberView['marker']) {
  return marker === undefined ? {} : { staleMarker: true };
}

function joinLater({ live }: EtcdView) {
  if (live === undefined) return undefined;
  return { action: 'wait' as const, reason: 'can join once the cluster has a quorum again' };
}

function incomplete({ members }: EtcdView) {
  if (members.every(({ unreachable }) => unreachable === undefined)) return undefined;
  return { action: 'wait' as const, reason: 'cannot be judged while hosts do not answer' };
}

/** The other half of `cutOffBootstrap`: the hosts that were not started yet when the run was cut off. */
function bootstrapGoesOn(view: EtcdView) {
  const withData = view.members.filter(({ data }) => data.state !== 'absent' && data.state !== 'empty');
  if (withData.length === 0 || view.storeClusterId !== undefined || markedCluster(view) !== undefined)
    return undefined;
  if (!withData.every(isOwnBootstrap)) return undefined;
  return { action: 'bootstrap' as const, reason: 'a former run was cut off while it made the cluster' };
}

/** Some have data and nobody answers: those are started first, and if they can be a quorum, this host shows then. */
function othersHaveData({ members, cluster }: EtcdView) {
  const withData = members.filter(({ data }) => data.state === 'data');
  if (withData.length === 0) return undefined;
  const marked = members.filter(({ marker }) => marker !== undefined).length;
  const voters = Math.max(
    withData.length,
    marked,
    ...withData.map(({ etcdConf }) => membersAtJoining(etcdConf)),
  );
  if (withData.length * 2 > voters) {
    return { action: 'wait' as const, reason: 'shows once the members that have data run' };
  }
  return stopCluster('no-quorum', 'too few members have their data', {
    message: `${withData.map(({ host }) => host.name).join(', ')} of ${voters} members ${
      withData.length > 1 ? 'have' : 'has'
    } data in ${cluster.paths.etcd.data}: no quorum can come of that`,
    next: 'bring the other data directories back (disks that are not mounted?), or restore the cluster from a snapshot',
  });
}

/** Where all is lost there is no cluster left to take a member out of. */
function allEmpty(view: EtcdView) {
  const { live, members } = view;
  const nobody = members.every(({ data, unreachable }) => data.state !== 'data' && unreachable === undefined);
  return live === undefined && nobody ? clusterLost(view) : undefined;
}

function clusterLost(view: EtcdView) {
  const known = view.storeClusterId ?? markedCluster(view);
  if (known === undefined) return undefined;
  return stopCluster('cluster-lost', 'the cluster existed, and no host has its data', {
    message: `cluster ${known} was made before, and no host has data in ${view.cluster.paths.etcd.data}`,
    next: 'bring the data back or restore a snapshot; to begin anew and lose what was in it, remove pki/etcd-cluster-id (and kbin-member.json beside etcd.conf on the hosts)',
  });
}

/** Every host answered, none has data, and nothing remembers a cluster. */
function newCluster({ members }: EtcdView) {
  if (members.some(({ data }) => data.state === 'foreign')) {
    return { action: 'wait' as const, reason: 'a new cluster is made only when every host is free for it' };
  }
  return { action: 'bootstrap' as const, reason: 'is one of the first members of a new cluster' };
}
