import type { Cluster, ClusterHost, SshSettings } from '../../src/cluster/cluster.ts';

/** As much of a cluster as src/remote looks at: hosts and how to get into them. */
export function clusterOf(hosts: Record<string, Partial<SshSettings>>): Cluster {
  return {
    name: 'test',
    hosts: Object.entries(hosts).map(([name, ssh]) => clusterHost(name, ssh)),
  } as unknown as Cluster;
}

export function clusterHost(name: string, ssh: Partial<SshSettings> = {}): ClusterHost {
  return {
    name,
    address: '127.0.0.1',
    roles: ['etcd'],
    architecture: 'amd64',
    ssh: { host: '127.0.0.1', agent: false, connectTimeout: 30, commandTimeout: 60, keepAlive: 10, ...ssh },
  };
}
