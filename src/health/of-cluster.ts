import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { formerClientUrl } from '../diff/etcd-endpoint.ts';
import type { Observed } from '../observe/observed.ts';
import type { Connect } from '../remote/host.ts';
import { type CredentialSource, clientCredentials } from './client-credentials.ts';
import { dialThrough } from './dial.ts';
import { dialEither } from './dial-either.ts';
import { type EtcdCredentials, type EtcdTarget, hostPort, parseEndpoint } from './target.ts';

/** The members that cluster.yaml describes, in its order; through SSH where `etcd: {reach: ssh}` says so. */
export function etcdTargets(cluster: Cluster, connect: Connect): readonly EtcdTarget[] {
  return hostsWithRole(cluster, 'etcd').map((host) => {
    const clientUrl = `https://${hostPort({ host: host.address, port: cluster.etcd.clientPort })}`;
    const peerUrl = `https://${hostPort({ host: host.address, port: cluster.etcd.peerPort })}`;
    return {
      name: host.name,
      endpoint: clientUrl,
      expected: { name: host.name, peerUrls: [peerUrl], clientUrls: [clientUrl] },
      ...(cluster.etcd.reach === 'ssh' ? { dial: dialThrough(() => connect(host.name)) } : {}),
    };
  });
}

/** The same targets, with what was seen of where their processes serve now. */
export function withFormerEndpoints(
  targets: readonly EtcdTarget[],
  cluster: Cluster,
  observed: ReadonlyMap<string, Observed>,
): readonly EtcdTarget[] {
  const hosts = new Map(hostsWithRole(cluster, 'etcd').map((host) => [host.name, host]));
  return targets.map((target) => {
    const host = hosts.get(target.name);
    const former = host && formerClientUrl(cluster, host, observed.get(target.name));
    return former === undefined ? target : { ...target, former };
  });
}

/**
 * As etcdTargets; where a member's port is closed to this machine, it is asked through SSH before anybody takes it for
 * broken. `hosts`: those that a run is connected to anyway; default all.
 */
export function etcdTargetsEitherWay(
  cluster: Cluster,
  connect: Connect,
  hosts?: readonly string[],
): readonly EtcdTarget[] {
  return etcdTargets(cluster, connect).map((target) => {
    if (target.dial !== undefined || hosts?.includes(target.name) === false) return target;
    const { dial, detour } = dialEither(() => connect(target.name));
    return {
      ...target,
      dial,
      detour: (endpoint) => {
        const { host, port } = parseEndpoint(endpoint);
        return detour(host, port);
      },
    };
  });
}

/** Default: the healthcheck client's, kbin's own. */
export function etcdCredentials(
  store: CredentialSource,
  client = 'etcd-healthcheck-client',
): Promise<EtcdCredentials> {
  return clientCredentials(store, { authority: 'etcd-ca', client, toAsk: 'etcd' });
}
