import type { Cluster } from '../cluster/cluster.ts';
import { hostsWithRole } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';
import { apiTargets } from './api-target.ts';
import { componentTargets } from './component-target.ts';
import { etcdTargetsEitherWay } from './of-cluster.ts';
import { type Address, type Dial, parseEndpoint } from './target.ts';

/** Something that shows one of the plan's certificates to whoever connects. */
export interface CertificateListener {
  /** Name of the host. */
  readonly host: string;
  /** Its program: `etcd`, `kube-apiserver`, … */
  readonly component: string;
  /** Id in the plan of what it should show. */
  readonly id: string;
  readonly address: Address;
  readonly dial?: Dial;
}

/**
 * Every listener of the cluster that has a certificate of pki/: straight where that works, through its host's SSH
 * connection where the port is closed to this machine.
 */
export function certificateListeners(cluster: Cluster, connect: Connect): readonly CertificateListener[] {
  const https = (host: string, port: number): Address => ({ scheme: 'https', host, port });
  const members = etcdTargetsEitherWay(cluster, connect).flatMap(({ name, endpoint, expected, dial }) => {
    const by = { host: name, component: 'etcd', ...(dial === undefined ? {} : { dial }) };
    return [
      { ...by, id: `etcd-server@${name}`, address: parseEndpoint(endpoint) },
      ...(expected?.peerUrls ?? []).map((url) => ({
        ...by,
        id: `etcd-peer@${name}`,
        address: parseEndpoint(url),
      })),
    ];
  });
  if (cluster.kubernetes.version === undefined || hostsWithRole(cluster, 'control-plane').length === 0)
    return members;
  return [
    ...members,
    ...apiTargets(cluster, connect).map(({ name, address, port, dial }) => ({
      host: name,
      component: 'kube-apiserver',
      id: `apiserver@${name}`,
      address: https(address, port),
      ...(dial === undefined ? {} : { dial }),
    })),
    ...componentTargets(cluster, connect).map(({ name, component, address, port, dial }) => ({
      host: name,
      component,
      id: `${component.replace(/^kube-/, '')}-server@${name}`,
      address: https(address, port),
      ...(dial === undefined ? {} : { dial }),
    })),
  ];
}
