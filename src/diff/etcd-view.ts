import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { etcdUnit } from '../desired/components/etcd.ts';
import { initialCluster, peerUrls } from '../desired/components/etcd-urls.ts';
import type { MemberMarker, Observed, ObservedDataDirectory, ObservedUnit } from '../observe/observed.ts';
import type { UnreachableHost } from './changes.ts';
import { bootstrapIdentity, type EtcdIdentity, sameId } from './etcd-identity.ts';

/** One member of the running cluster, as etcd's own member list has it. Ids are hex. */
export interface ListedMember {
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** None until the member has started for the first time, also where it is known by name. */
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What the etcd of one host answered when it was asked (src/health's MemberReading fits), or why it did not. */
export interface EtcdReading {
  readonly target: { readonly name: string };
  readonly status?: { readonly memberId: string; readonly clusterId: string; readonly version: string };
  readonly members?: readonly ListedMember[];
  /** A linearizable read through it succeeded. */
  readonly quorum: boolean;
  readonly failure?: EtcdFailure;
  /** It answered, but only through SSH, though cluster.yaml does not say so: why, in a clause. */
  readonly detour?: string;
}

/** `code` and `next` as src/health's Cause has them. */
export interface EtcdFailure {
  readonly code: string;
  readonly message: string;
  readonly next: string;
}

/** Everything that decisions about membership depend on. */
export interface EtcdFacts {
  readonly cluster: Cluster;
  /** The hosts that answered, by name. */
  readonly observed: ReadonlyMap<string, Observed>;
  readonly unreachable: readonly UnreachableHost[];
  /**
   * One per etcd host. None at all: etcd was not asked, for lack of a client key; then a member that runs is taken for
   * one that is well, which will do to show a plan and never to carry one out.
   */
  readonly readings: readonly EtcdReading[];
  /** What the certificate store remembers of the cluster that was bootstrapped from it. */
  readonly storeClusterId?: string;
}

/** The running cluster as far as one of its members answered. */
export interface LiveCluster {
  readonly clusterId: string;
  readonly quorum: boolean;
  readonly members: readonly ListedMember[];
}

/** One etcd host with all that is known of it. */
export interface MemberView {
  readonly host: ClusterHost;
  readonly peerUrl: string;
  readonly unreachable?: string;
  readonly data: ObservedDataDirectory;
  /** Whose data it is: what the log says, else what kbin noted. */
  readonly identity?: EtcdIdentity;
  readonly marker?: MemberMarker;
  readonly unit?: ObservedUnit;
  /** The text of etcd.conf on the host. */
  readonly etcdConf?: string;
  /** The member of the running cluster that this host is, by id, else by peer URL, else by name. */
  readonly listed?: ListedMember;
  /** Its own etcd answered. */
  readonly reading?: EtcdReading;
  /** Why its etcd did not answer, where it was asked. */
  readonly failure?: EtcdFailure;
  /** The ids this host would have in a cluster bootstrapped from cluster.yaml as it is. */
  readonly bootstrap?: EtcdIdentity;
}

export interface EtcdView {
  readonly cluster: Cluster;
  readonly members: readonly MemberView[];
  readonly asked: boolean;
  /** undefined: nobody answered. */
  readonly live?: LiveCluster;
  /** Cluster ids of all that answered. More than one: there are several clusters. */
  readonly answeringClusters: readonly string[];
  readonly storeClusterId?: string;
}

export function etcdView(facts: EtcdFacts): EtcdView {
  const { cluster, storeClusterId } = facts;
  const live = liveCluster(facts.readings);
  return {
    cluster,
    members: hostsWithRole(cluster, 'etcd').map((host) => memberView(facts, host, live)),
    asked: facts.readings.length > 0,
    answeringClusters: [...new Set(facts.readings.flatMap(({ status }) => status?.clusterId ?? []))],
    ...(live === undefined ? {} : { live }),
    ...(storeClusterId === undefined ? {} : { storeClusterId }),
  };
}

/** The member list of somebody who has a quorum behind him; else of anybody who answered. */
function liveCluster(readings: readonly EtcdReading[]): LiveCluster | undefined {
  const answered = readings.filter(({ status, members }) => status !== undefined && members !== undefined);
  const best = answered.find(({ quorum }) => quorum) ?? answered[0];
  if (best?.status === undefined || best.members === undefined) return undefined;
  return { clusterId: best.status.clusterId, quorum: best.quorum, members: best.members };
}

function memberView(facts: EtcdFacts, host: ClusterHost, live: LiveCluster | undefined): MemberView {
  const { cluster } = facts;
  const observed = facts.observed.get(host.name);
  const data = observed?.dataDirectories.get(cluster.paths.etcd.data) ?? { state: 'absent' };
  const { marker } = data;
  const identity = data.state === 'data' ? (data.identity ?? marker) : undefined;
  const peerUrl = peerUrls(cluster, host);
  const asked = facts.readings.find(({ target }) => target.name === host.name);
  const reading = asked?.status === undefined ? undefined : asked;
  const listed = live && listedAs(live, { id: identity?.memberId, peerUrl, name: host.name });
  const unreachable =
    observed === undefined
      ? (facts.unreachable.find((entry) => entry.host === host.name)?.reason ?? 'it was not asked')
      : undefined;
  return {
    host,
    peerUrl,
    data,
    ...defined({
      unreachable,
      identity,
      marker,
      listed,
      reading,
      failure: asked?.failure,
      unit: observed?.units.get(etcdUnit),
      etcdConf: observed?.paths.get(cluster.paths.etcd.config)?.text,
      bootstrap: bootstrapIdentity(initialCluster(cluster), cluster.etcd.token, host.name),
    }),
  };
}

function listedAs(
  { members }: LiveCluster,
  host: { readonly id: string | undefined; readonly peerUrl: string; readonly name: string },
): ListedMember | undefined {
  if (host.id !== undefined) return members.find(({ id }) => sameId(id, host.id));
  return (
    members.find(({ peerUrls: urls }) => urls.includes(host.peerUrl)) ??
    members.find(({ name }) => name === host.name)
  );
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
