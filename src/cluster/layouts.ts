import type { Paths } from './cluster.ts';

/** Where things lie on a host, by the layout's name. `paths:` may set each by hand over one of these. */
export const layouts = {
  fhs: {
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
  opt: {
    units: '/etc/systemd/system',
    etcd: {
      bin: '/opt/etcd/bin',
      config: '/opt/etcd/cfg/etcd.conf',
      tls: '/opt/etcd/ssl',
      data: '/var/lib/etcd/default.etcd',
    },
    kubernetes: {
      bin: '/opt/kubernetes/bin',
      config: '/opt/kubernetes/cfg',
      tls: '/opt/kubernetes/ssl',
      audit: '/opt/kubernetes/logs',
    },
  },
} as const satisfies Record<string, Paths>;

export type Layout = keyof typeof layouts;
export const layoutNames = Object.keys(layouts) as readonly Layout[];
