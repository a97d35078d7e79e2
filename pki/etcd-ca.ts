import { type AuthorityEntry, hostName } from './entry.ts';

const memberSans = [
  'host-name',
  'localhost',
  'host-address',
  '127.0.0.1',
  '::1',
  'reserved',
  'extra',
] as const;

/** Members, clients and kbin dial addresses. */
const spareSans = ['host-name', 'localhost', '127.0.0.1', '::1'] as const;

export const etcdCa = {
  id: 'etcd-ca',
  purpose: 'everything that speaks to etcd',
  commonName: 'etcd-ca',
  profile: 'authority',
  everyClient:
    'reads and writes all of etcd, and so of Kubernetes, Secrets among it, past every rule of the API',
  leaves: [
    {
      id: 'etcd-server',
      purpose: 'what a member shows to its clients',
      per: 'etcd',
      commonName: hostName,
      // The gateway inside etcd dials its own server with this certificate: without client usage it is refused.
      profile: 'peer',
      sans: memberSans,
      spare: spareSans,
    },
    {
      id: 'etcd-peer',
      purpose: 'what members show each other',
      per: 'etcd',
      commonName: hostName,
      profile: 'peer',
      sans: memberSans,
      spare: spareSans,
    },
    {
      id: 'etcd-healthcheck-client',
      purpose: 'kbin, etcdctl and probes',
      per: 'cluster',
      commonName: 'kube-etcd-healthcheck-client',
      profile: 'client',
      sans: ['extra'],
    },
    {
      id: 'apiserver-etcd-client',
      purpose: 'kube-apiserver to etcd',
      per: 'cluster',
      commonName: 'kube-apiserver-etcd-client',
      profile: 'client',
      sans: ['extra'],
    },
  ],
} as const satisfies AuthorityEntry;
