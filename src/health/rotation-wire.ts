import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';
import { apiTargets } from './api-target.ts';
import { causeOf } from './causes.ts';
import type { ClientCredentials } from './client-credentials.ts';
import { componentTargets } from './component-target.ts';
import { etcdTargetsEitherWay } from './of-cluster.ts';
import { type Address, type Dial, parseEndpoint } from './target.ts';
import { probeWire, type Served } from './wire.ts';

/** A listener of the cluster that has to do with a CA: it serves a certificate of it, or verifies clients with it. */
export interface Listener {
  readonly host: string;
  /** For a reader: `etcd’s peer port`. */
  readonly what: string;
  readonly address: Address;
  readonly dial?: Dial;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether what it serves comes from this CA. */
  readonly serves: boolean;
  /** How one that does not know a client's CA answers: etcd ends the connection, Kubernetes says 401. */
  readonly refuses: 'handshake' | 'status-401';
}

/** By the CA's id: everything on the wire that is to be seen of it. */
export function listenersOf(authority: string, cluster: Cluster, connect: Connect): readonly Listener[] {
  if (authority === 'etcd-ca') return etcdListeners(cluster, connect);
  if (authority === 'kubernetes-ca') {
    return [...apiservers(cluster, connect, {}), ...components(cluster, connect)];
  }
  // Who shows a certificate of the front proxy says by headers who it is that asks; without one it has said nothing.
  return apiservers(cluster, connect, { headers: { 'X-Remote-User': 'kbin:rotation' }, serves: false });
}

function etcdListeners(cluster: Cluster, connect: Connect): Listener[] {
  return etcdTargetsEitherWay(cluster, connect).flatMap(({ name, endpoint, expected, dial }) => {
    const base = {
      host: name,
      path: '/version',
      serves: true,
      refuses: 'handshake',
      ...(dial === undefined ? {} : { dial }),
    } as const;
    const peers = expected?.peerUrls ?? [];
    return [
      { ...base, what: 'etcd’s client port', address: parseEndpoint(endpoint) },
      ...peers.map((url) => ({ ...base, what: 'etcd’s peer port', address: parseEndpoint(url) })),
    ];
  });
}

function apiservers(
  cluster: Cluster,
  connect: Connect,
  { headers, serves = true }: Partial<Pick<Listener, 'headers' | 'serves'>>,
): Listener[] {
  return apiTargets(cluster, connect).map(({ name, address, port, dial }) => ({
    host: name,
    what: 'kube-apiserver',
    address: { scheme: 'https', host: address, port },
    path: '/version',
    serves,
    refuses: 'status-401',
    ...(dial === undefined ? {} : { dial }),
    ...(headers === undefined ? {} : { headers }),
  }));
}

/** Their metrics are for those whom they know. */
function components(cluster: Cluster, connect: Connect): Listener[] {
  return componentTargets(cluster, connect).map(({ name, component, address, port, dial }) => ({
    host: name,
    what: component,
    address: { scheme: 'https', host: address, port },
    path: '/metrics',
    serves: true,
    refuses: 'status-401',
    ...(dial === undefined ? {} : { dial }),
  }));
}

/** What is wrong with a listener, in clauses; empty when nothing is. Never rejects. */
export async function wireShortcomings(
  { what, address, dial, path, headers, serves, refuses }: Listener,
  { ca, cert, key }: Pick<ClientCredentials, 'ca'> & Partial<ClientCredentials>,
  deadlineMs = 5000,
): Promise<readonly string[]> {
  const client = cert === undefined || key === undefined ? {} : { cert, key };
  let served: Served;
  try {
    served = await probeWire(
      address,
      { ca, ...client },
      {
        deadlineMs,
        path,
        ...(dial === undefined ? {} : { dial }),
        ...(headers === undefined ? {} : { headers }),
      },
    );
  } catch (error) {
    return [`${what} could not be asked: ${causeOf(error, { deadlineMs }).message}`];
  }
  const { refusal, accepted, status, notAccepted } = served;
  const takes = refuses === 'handshake' ? accepted : accepted && status !== 401;
  return [
    ...(serves && refusal !== undefined
      ? [`${what} does not serve a certificate of the CA that signs now: ${refusal.message}`]
      : []),
    ...(cert !== undefined && !takes
      ? [
          `${what} does not take a client of the new CA${notAccepted === undefined ? '' : `: ${notAccepted.message}`}`,
        ]
      : []),
  ];
}

/** The hosts that have to do with a CA. */
export function hostsOfAuthority(authority: string, cluster: Cluster): readonly string[] {
  const roles = authority === 'etcd-ca' ? (['etcd', 'control-plane'] as const) : (['control-plane'] as const);
  const names = new Set(roles.flatMap((role) => hostsWithRole(cluster, role).map(({ name }) => name)));
  return cluster.hosts.map(({ name }) => name).filter((name) => names.has(name));
}
