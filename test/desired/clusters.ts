import type { Cluster, ClusterHost, EtcdSettings, Paths } from '../../src/cluster/cluster.ts';
import type { StoreView } from '../../src/desired/store-view.ts';

export const fhs: Paths = {
  units: '/etc/systemd/system',
  etcd: {
    bin: '/usr/local/bin',
    config: '/etc/etcd/etcd.conf',
    tls: '/etc/etcd/ssl',
    data: '/var/lib/etcd',
  },
};

export const opt: Paths = {
  units: '/etc/systemd/system',
  etcd: {
    bin: '/opt/etcd/bin',
    config: '/opt/etcd/cfg/etcd.conf',
    tls: '/opt/etcd/ssl',
    data: '/var/lib/etcd/default.etcd',
  },
};

const names = ['k8s-master1', 'k8s-node1', 'k8s-node2', 'k8s-node3', 'k8s-node4'];

export function member(index: number, changes: Partial<ClusterHost> = {}): ClusterHost {
  const address = changes.address ?? `192.168.31.${71 + index}`;
  return {
    name: names[index] ?? `host${index}`,
    address,
    roles: ['etcd'],
    architecture: 'amd64',
    ssh: { host: address, agent: true, connectTimeout: 10, commandTimeout: 60, keepAlive: 5 },
    ...changes,
  };
}

/** A validated cluster, as the loader would give it for a cluster.yaml without much in it. */
export function clusterOf(
  changes: Partial<Omit<Cluster, 'etcd'>> & { readonly etcd?: Partial<EtcdSettings> } = {},
): Cluster {
  const { etcd, ...rest } = changes;
  return {
    name: 'prod',
    hosts: [member(0), member(1), member(2)],
    ssh: { parallel: 10, maxClockSkew: 5 },
    kubernetes: {
      version: '1.34.1',
      serviceCidr: '10.96.0.0/12',
      podCidr: '10.244.0.0/16',
      dnsDomain: 'cluster.local',
      apiserverPort: 6443,
    },
    pki: {
      key: 'ecdsa-p256',
      validity: { ca: 175_320, leaf: 87_660 },
      subject: {},
      reserve: [],
      extraSans: {},
    },
    paths: fhs,
    folder: '/somewhere',
    ...rest,
    etcd: {
      version: '3.5.16',
      source: { kind: 'download' },
      user: 'etcd',
      group: 'etcd',
      clientPort: 2379,
      peerPort: 2380,
      token: 'prod',
      heartbeatMs: 100,
      electionMs: 1000,
      snapshotCount: 10_000,
      quotaBackendBytes: 8 * 1024 ** 3,
      maxRequestBytes: 10 * 1024 ** 2,
      autoCompaction: '1h',
      logLevel: 'info',
      environment: {},
      reach: 'direct',
      ...etcd,
    },
  };
}

/** A store that has everything; contents are recognisable, and no key's bytes are anywhere in it. */
export function fullStore(changes: Partial<StoreView> = {}): StoreView {
  return {
    certificate: (id) => ({
      ref: `${id}.crt`,
      pem: `-----BEGIN CERTIFICATE-----\n${id}\n-----END CERTIFICATE-----\n`,
    }),
    key: (id) => ({ ref: `${id}.key`, sha256: Buffer.from(id.padEnd(32, '.').slice(0, 32)).toString('hex') }),
    ...changes,
  };
}
