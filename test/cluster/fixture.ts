import type { Cluster, ClusterHost, Role, SshSettings } from '../../src/cluster/cluster.ts';

/** Every level optional; arrays and unions are replaced whole. */
export type Overrides<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Overrides<T[K]> | undefined }
    : T;

/**
 * The cluster of the design page, three stacked hosts: what loadCluster makes of test/cluster/example.yaml.
 * `exampleCluster({ etcd: { version: '3.4.23' } })` changes one thing; `undefined` takes an optional thing away.
 */
export function exampleCluster(overrides: Overrides<Cluster> = {}): Cluster {
  return merge(example, overrides) as Cluster;
}

/** A host with the usual settings; for clusters of other shapes: `exampleCluster({ hosts: [exampleHost(…)] })`. */
export function exampleHost(
  name: string,
  address: string,
  roles: readonly Role[] = ['etcd', 'control-plane'],
  overrides: Overrides<Omit<ClusterHost, 'name' | 'address' | 'roles'>> = {},
): ClusterHost {
  const host: ClusterHost = { name, address, roles, architecture: 'amd64', ssh: { ...ssh, host: address } };
  return merge(host, overrides) as ClusterHost;
}

const ssh: Omit<SshSettings, 'host'> = {
  user: 'root',
  identityFile: '/home/me/.ssh/id_ed25519',
  agent: true,
  connectTimeout: 10,
  commandTimeout: 120,
  keepAlive: 5,
};

const example: Cluster = {
  name: 'prod',
  folder: '/home/me/prod',
  hosts: [
    exampleHost('k8s-master1', '192.168.31.71'),
    exampleHost('k8s-master2', '192.168.31.72'),
    exampleHost('k8s-master3', '192.168.31.73'),
  ],
  ssh: { parallel: 10, maxClockSkew: 2 },
  etcd: {
    version: '3.6.5',
    source: { kind: 'download' },
    user: 'etcd',
    group: 'etcd',
    clientPort: 2379,
    peerPort: 2380,
    metricsUrl: 'http://127.0.0.1:2381',
    token: 'prod',
    heartbeatMs: 100,
    electionMs: 1000,
    snapshotCount: 10000,
    quotaBackendBytes: 8 * 1024 ** 3,
    maxRequestBytes: 10 * 1024 ** 2,
    autoCompaction: '1h',
    logLevel: 'info',
    environment: {},
    reach: 'direct',
  },
  kubernetes: {
    version: '1.34.1',
    serviceCidr: '10.96.0.0/12',
    podCidr: '10.244.0.0/16',
    dnsDomain: 'cluster.local',
    apiserverPort: 6443,
    source: { kind: 'download' },
    shutdownDelay: 10,
    encryption: { provider: 'secretbox', resources: ['secrets'] },
    audit: { maxAge: 30, maxBackups: 10, maxSize: 100 },
    components: {
      'kube-apiserver': { user: 'kube-apiserver', flags: {} },
      'kube-controller-manager': { user: 'kube-controller-manager', flags: {} },
      'kube-scheduler': { user: 'kube-scheduler', flags: {} },
    },
  },
  endpoint: { address: '192.168.31.75', port: 16443, loadBalancer: 'haproxy', interface: 'eth0' },
  pki: {
    key: 'ecdsa-p256',
    validity: { ca: 20 * 8760, leaf: 10 * 8760, crl: 90 * 24 },
    subject: {},
    reserve: ['192.168.31.74'],
    offline: [],
    extraSans: {},
  },
  paths: {
    units: '/etc/systemd/system',
    etcd: {
      bin: '/usr/local/bin',
      config: '/etc/etcd/etcd.conf',
      tls: '/etc/etcd/pki',
      data: '/var/lib/etcd',
    },
    kubernetes: {
      bin: '/usr/local/bin',
      config: '/etc/kubernetes',
      tls: '/etc/kubernetes/pki',
      audit: '/var/log/kubernetes',
    },
  },
};

function merge(base: unknown, over: unknown): unknown {
  if (!isPlain(base) || !isPlain(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) delete merged[key];
    else merged[key] = key in base ? merge(base[key], value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
