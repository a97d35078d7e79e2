import { type Cluster, hostsWithRole } from '../../src/cluster/cluster.ts';
import { initialCluster, peerUrls } from '../../src/desired/components/etcd-urls.ts';
import { bootstrapIdentity, type EtcdIdentity } from '../../src/diff/etcd-identity.ts';
import type { EtcdFacts, EtcdReading, ListedMember } from '../../src/diff/etcd-membership.ts';
import type {
  MemberMarker,
  Observed,
  ObservedDataDirectory,
  ObservedUnit,
} from '../../src/observe/observed.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { facts as hostFacts } from './simulated-host.ts';

/** The ids of a cluster that has nothing to do with ours. */
export const elsewhere: EtcdIdentity = { clusterId: 'dead', memberId: 'beef' };

/** One host in a few words; what is not said is: it answers, has nothing, and is in nobody's member list. */
export interface Situation {
  readonly unreachable?: true;
  /** own: of the member that this host is in our cluster. unread: a log that could not be read. */
  readonly data?: 'own' | 'elsewhere' | 'foreign' | 'unread';
  readonly marker?: 'own' | 'elsewhere' | 'other-name' | 'former';
  /** How the running cluster lists it, when there is a running cluster. */
  readonly listed?: 'started' | 'unstarted' | 'learner' | 'renamed' | 'moved';
  /** up: its etcd answers. silent: it is active and does not. waiting: it is activating. Default: not running. */
  readonly etcd?: 'up' | 'silent' | 'waiting';
  /** Which cluster its etcd says that it is, when it answers. */
  readonly answersAs?: string;
  readonly conf?: string;
}

/** Of etcd alone. */
export const cluster: Cluster = exampleCluster({ kubernetes: { version: undefined } });
export const names = hostsWithRole(cluster, 'etcd').map(({ name }) => name);

/** Ids as etcd gives them to the cluster of test/cluster/fixture.ts. */
export function ownIdentity(name: string): EtcdIdentity {
  const known = identities.get(name);
  if (known !== undefined) return known;
  const identity = bootstrapIdentity(initialCluster(cluster), cluster.etcd.token, name);
  if (identity === undefined) throw new Error(name);
  identities.set(name, identity);
  return identity;
}

const identities = new Map<string, EtcdIdentity>();

export interface World {
  readonly hosts: readonly Situation[];
  readonly quorum?: boolean;
  readonly store?: 'own' | 'elsewhere';
  /** Members of the running cluster that cluster.yaml does not have. */
  readonly unlisted?: readonly ListedMember[];
}

export function factsOf({ hosts, quorum = true, store, unlisted = [] }: World): EtcdFacts {
  const members = [...hosts.flatMap((host, index) => listedMember(names[index] ?? '', host)), ...unlisted];
  return {
    cluster,
    observed: new Map(
      hosts.flatMap((host, index) =>
        host.unreachable === true
          ? []
          : [[names[index] ?? '', observedHost(names[index] ?? '', host)] as const],
      ),
    ),
    unreachable: hosts.flatMap((host, index) =>
      host.unreachable === true ? [{ host: names[index] ?? '', reason: 'no route to host' }] : [],
    ),
    readings: hosts.map((host, index) => reading(names[index] ?? '', host, members, quorum)),
    ...(store === undefined
      ? {}
      : { storeClusterId: store === 'own' ? ownIdentity(names[0] ?? '').clusterId : elsewhere.clusterId }),
  };
}

function listedMember(name: string, { listed }: Situation): ListedMember[] {
  if (listed === undefined) return [];
  const host = cluster.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) return [];
  const peerUrl = listed === 'moved' ? 'https://10.99.99.99:2380' : peerUrls(cluster, host);
  const clientUrl = peerUrl.replace('2380', '2379');
  return [
    {
      id: ownIdentity(name).memberId,
      name: listed === 'unstarted' ? '' : listed === 'renamed' ? 'other' : name,
      peerUrls: [peerUrl],
      clientUrls: listed === 'unstarted' ? [] : [clientUrl],
      isLearner: listed === 'learner',
    },
  ];
}

function reading(
  name: string,
  { etcd, answersAs }: Situation,
  members: readonly ListedMember[],
  quorum: boolean,
): EtcdReading {
  if (etcd !== 'up') {
    const failure = { code: 'refused', message: 'refuses connections', next: 'look there' };
    return { target: { name }, quorum: false, failure };
  }
  const { memberId, clusterId } = ownIdentity(name);
  return {
    target: { name },
    status: { memberId, clusterId: answersAs ?? clusterId, version: cluster.etcd.version },
    members,
    quorum,
  };
}

function observedHost(name: string, situation: Situation): Observed {
  return {
    host: name,
    facts: hostFacts,
    paths: new Map(
      situation.conf === undefined
        ? []
        : [
            [
              cluster.paths.etcd.config,
              { type: 'file', mode: 0o644, owner: 'root', group: 'root', text: situation.conf },
            ],
          ],
    ),
    units: new Map([['etcd.service', unit(situation)]]),
    dataDirectories: new Map([[cluster.paths.etcd.data, dataDirectory(name, situation)]]),
    listeners: [],
    accounts: [],
    leftovers: [],
  };
}

function dataDirectory(name: string, { data, marker }: Situation): ObservedDataDirectory {
  const note: MemberMarker | undefined =
    marker === undefined
      ? undefined
      : {
          own: { ...ownIdentity(name), name },
          elsewhere: { ...elsewhere, name },
          'other-name': { ...ownIdentity(name), name: 'somebody' },
          former: { ...ownIdentity(name), memberId: 'f0f0', name },
        }[marker];
  const identity = data === 'own' ? ownIdentity(name) : data === 'elsewhere' ? elsewhere : undefined;
  return {
    state: data === undefined ? 'empty' : data === 'foreign' ? 'foreign' : 'data',
    ...(note === undefined ? {} : { marker: note }),
    ...(identity === undefined ? {} : { identity }),
  };
}

function unit({ etcd }: Situation): ObservedUnit {
  const running = etcd !== undefined;
  return {
    loadState: 'loaded',
    activeState: etcd === 'waiting' ? 'activating' : running ? 'active' : 'inactive',
    subState: etcd === 'waiting' ? 'start' : running ? 'running' : 'dead',
    enabled: 'enabled',
    needDaemonReload: false,
    dropIns: [],
    mainPid: running ? 4711 : 0,
    executableReplaced: false,
    result: 'success',
  };
}
