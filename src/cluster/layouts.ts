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
  },
  opt: {
    units: '/etc/systemd/system',
    etcd: {
      bin: '/opt/etcd/bin',
      config: '/opt/etcd/cfg/etcd.conf',
      tls: '/opt/etcd/ssl',
      data: '/var/lib/etcd/default.etcd',
    },
  },
} as const satisfies Record<string, Paths>;

export type Layout = keyof typeof layouts;
export const layoutNames = Object.keys(layouts) as readonly Layout[];
