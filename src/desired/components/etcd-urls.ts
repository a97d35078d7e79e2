import { type Cluster, type ClusterHost, hostsWithRole } from '../../cluster/cluster.ts';

/** `https://192.168.31.71:2379`, `https://[fd00::1]:2379`. */
export function httpsUrl(address: string, port: number): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

export function peerUrls(cluster: Cluster, host: ClusterHost): string {
  return httpsUrl(host.address, cluster.etcd.peerPort);
}

export function clientUrls(cluster: Cluster, host: ClusterHost): string {
  return httpsUrl(host.address, cluster.etcd.clientPort);
}

/** The host's address, and loopback for etcdctl on the host and for clients that come through SSH: TLS on both. */
export function listenClientUrls(cluster: Cluster, host: ClusterHost): string {
  const addresses = new Set([host.address, '127.0.0.1']);
  return [...addresses].map((address) => httpsUrl(address, cluster.etcd.clientPort)).join(',');
}

/** `name=URL` of every member that cluster.yaml names, in its order. */
export function initialCluster(cluster: Cluster): string {
  return hostsWithRole(cluster, 'etcd')
    .map((host) => `${host.name}=${peerUrls(cluster, host)}`)
    .join(',');
}
