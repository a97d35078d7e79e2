import { describe, expect, it } from 'vitest';
import { parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { KbinError } from '../../src/errors.ts';

const where = { file: 'c.yaml', folder: '/x', home: '/home/me' };

interface Lines {
  readonly hosts?: string;
  readonly kubernetes?: string;
  readonly more?: string;
}

/** Four lines or more: name, hosts, etcd, kubernetes. */
function said({ hosts = hostsOf(1), kubernetes = '', more = '' }: Lines): readonly string[] {
  const text = `name: a\nhosts: [${hosts}]\netcd: { version: 3.6.5 }\nkubernetes: { version: 1.34.1${kubernetes} }\n${more}`;
  try {
    return parseClusterWithWarnings(text, where).warnings.map(
      (line) => `warning: ${line.slice('c.yaml:'.length)}`,
    );
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.slice('c.yaml:'.length));
  }
}

function hostsOf(count: number, roles = ''): string {
  const names = Array.from({ length: count }, (_, index) => index + 1);
  return names.map((n) => `{ name: n${n}, address: 10.0.0.${n}${roles} }`).join(', ');
}

const cases: Record<string, readonly [Lines, readonly string[]]> = {
  'a good one': [{}, []],
  'two control-plane hosts are as good as three': [
    { hosts: `${hostsOf(2)}, { name: n3, address: 10.0.0.3, roles: [etcd] }` },
    [],
  ],
  'services that hold the endpoint, and pods that hold a reserved address': [
    {
      kubernetes: ', serviceCidr: 10.8.0.0/16, podCidr: 10.9.0.0/16',
      more: 'endpoint: { address: 10.8.0.9 }\npki: { reserve: [later.example.org, 10.9.1.1, 10.0.0.7] }',
    },
    [
      '4:45: kubernetes.serviceCidr: 10.8.0.0/16 holds the endpoint 10.8.0.9; it must lie outside; see line 5',
      '4:67: kubernetes.podCidr: 10.9.0.0/16 holds 10.9.1.1, reserved for a host to come; it must lie outside; see line 6',
    ],
  ],
  'services and hosts of two families': [
    { hosts: '{ name: n1, address: fd00::1 }' },
    [
      '4:1: kubernetes.serviceCidr: 10.96.0.0/12 is IPv4, and the address fd00::1 of n1 IPv6; choose a serviceCidr of the same family; see line 2',
    ],
  ],
  'services and pods of two families': [
    { kubernetes: ', podCidr: fd02::/56' },
    [
      '4:41: kubernetes.podCidr: fd02::/56 is IPv6, and the serviceCidr 10.96.0.0/12 IPv4; kbin builds clusters of one family; see kubernetes.serviceCidr, by default',
    ],
  ],
  'both families at once': [
    { kubernetes: ', serviceCidr: "10.96.0.0/16,fd01::/112"' },
    [
      '4:45: kubernetes.serviceCidr: "10.96.0.0/16,fd01::/112": one subnet; clusters of both families (dual-stack) are not built yet',
    ],
  ],
  'services of 24 bits, which 1.33 and later take': [{ kubernetes: ', serviceCidr: 172.0.0.0/8' }, []],
  'pods for one node less than there are': [
    { hosts: hostsOf(3, ', roles: [etcd, control-plane, worker]'), kubernetes: ', podCidr: 10.244.0.0/23' },
    ['4:41: kubernetes.podCidr: 10.244.0.0/23 is too small: 2 subnets of /24, and 3 workers need one each'],
  ],
  'and for enough of them with smaller pieces': [
    {
      hosts: hostsOf(3, ', roles: [etcd, control-plane, worker]'),
      kubernetes: ', podCidr: 10.244.0.0/23, controllerManager: { flags: { node-cidr-mask-size: 25 } }',
    },
    [],
  ],
  'pods that fit no node': [
    { kubernetes: ', podCidr: 10.244.0.0/25' },
    ['4:41: kubernetes.podCidr: 10.244.0.0/25 is too small: each node takes a /24 of it'],
  ],
  'more pods than kube-controller-manager counts': [
    {
      hosts: '{ name: n1, address: fd00::1 }',
      kubernetes: ', serviceCidr: fd01::/112, podCidr: fd02::/40',
    },
    [
      '4:66: kubernetes.podCidr: fd02::/40 is too large: with a /64 for each node, kube-controller-manager takes a /48 or smaller',
    ],
  ],
  'an endpoint that is one host of several': [
    { hosts: hostsOf(3), more: 'endpoint: { address: 10.0.0.2 }' },
    [
      'warning: 5:22: endpoint.address: "10.0.0.2" is the host n2 alone: when it is down, nobody reaches the other apiservers',
    ],
  ],
  'the same by name': [
    { hosts: hostsOf(3), more: 'endpoint: { address: n1 }' },
    [
      'warning: 5:22: endpoint.address: "n1" is the host n1 alone: when it is down, nobody reaches the other apiservers',
    ],
  ],
  'an endpoint that is the only host': [{ more: 'endpoint: { address: 10.0.0.1 }' }, []],
  'the ports of the other components': [
    { kubernetes: ', apiserverPort: 10257, scheduler: { flags: { secure-port: 2379 } }' },
    [
      '4:47: kubernetes.apiserverPort: port 10257 is taken already; see kubernetes.controllerManager.flags.secure-port, by default',
      '4:89: kubernetes.scheduler.flags.secure-port: port 2379 is taken already; see etcd.clientPort, by default',
    ],
  ],
  'the same port on hosts apart': [
    {
      hosts:
        '{ name: n1, address: 10.0.0.1, roles: [etcd] }, { name: n2, address: 10.0.0.2, roles: [control-plane] }, { name: n3, address: 10.0.0.3, roles: [load-balancer] }',
      kubernetes: ', scheduler: { flags: { secure-port: 2379 } }',
      more: 'endpoint: { address: 10.0.0.9, port: 6443, loadBalancer: haproxy }',
    },
    [],
  ],
  'two sources, two digests': [
    {
      kubernetes: `, source: { path: a, url: "http://b", sha256: ${'0'.repeat(64)}, sha512: ${'0'.repeat(128)} }`,
    },
    [
      '4:56: kubernetes.source.url: a path and a url: binaries come from one place; see line 4',
      '4:150: kubernetes.source.sha512: one digest is enough; see line 4',
    ],
  ],
  'weak encryption': [
    { kubernetes: ', encryption: aescbc' },
    [
      'warning: 4:32: kubernetes.encryption.provider: aescbc is open to padding-oracle attacks; use secretbox',
    ],
  ],
  'encryption that wants new keys often': [
    { kubernetes: ', encryption: { provider: aesgcm }' },
    [
      'warning: 4:56: kubernetes.encryption.provider: aesgcm is safe for 200,000 writes with one key; use secretbox',
    ],
  ],
  'no encryption, and no audit log': [
    { kubernetes: ', encryption: off, audit: off' },
    ['warning: 4:32: kubernetes.encryption.provider: Secrets lie in etcd and its snapshots as plain text'],
  ],
  'encryption of nothing': [
    { kubernetes: ', encryption: { resources: [] }' },
    [
      '4:57: kubernetes.encryption.resources: nothing to encrypt; name resources such as secrets, or write encryption: off',
    ],
  ],
  'encryption of something else, twice': [
    { kubernetes: ', encryption: { resources: [configmaps, Secrets, configmaps] }' },
    [
      '4:70: kubernetes.encryption.resources[1]: "Secrets" is not a resource: write it in the plural, with its group: secrets, widgets.example.org',
      '4:79: kubernetes.encryption.resources[2]: "configmaps" is there twice; see line 4',
    ],
  ],
  'encryption of something else': [
    { kubernetes: ', encryption: { resources: [configmaps] }' },
    [
      'warning: 4:57: kubernetes.encryption.resources: secrets are not among them, and lie in etcd as plain text',
    ],
  ],
  'a provider that there is not': [
    { kubernetes: ', encryption: secretbx' },
    [
      '4:44: kubernetes.encryption: "secretbx" is not one of secretbox, aesgcm, aescbc, off; did you mean "secretbox"?',
    ],
  ],
  'flags as they stand on a command line, or in another tool': [
    {
      kubernetes:
        ', apiserver: { flags: { --v: 3, max_requests_inflight: 9, maxRequestsInflight: 9, "a b": 1, feature-gates: [], v: 2 } }',
    },
    [
      '4:54: kubernetes.apiserver.flags: "--v" is not the name of a flag; write v',
      '4:62: kubernetes.apiserver.flags: "max_requests_inflight" is not the name of a flag; write max-requests-inflight',
      '4:88: kubernetes.apiserver.flags: "maxRequestsInflight" is not the name of a flag; write max-requests-inflight',
      '4:112: kubernetes.apiserver.flags: "a b" is not the name of a flag',
      '4:137: kubernetes.apiserver.flags.feature-gates: a flag without a value; leave the line out for its default',
    ],
  ],
  'accounts that are somebody else’s': [
    { kubernetes: ', apiserver: { user: root }, scheduler: { user: etcd }' },
    [
      'warning: 4:51: kubernetes.apiserver.user: kube-apiserver needs no rights of root',
      "warning: 4:78: kubernetes.scheduler.user: kube-scheduler could read etcd's data and keys",
    ],
  ],
  'names that the cluster would answer for': [
    {
      hosts: '{ name: n1.cluster.local, address: 10.0.0.1 }',
      more: 'endpoint: { address: api.cluster.local }',
    },
    [
      'warning: 2:17: hosts[0].name: "n1.cluster.local" lies in kubernetes.dnsDomain (cluster.local): pods would ask the cluster for it',
      'warning: 5:22: endpoint.address: "api.cluster.local" lies in kubernetes.dnsDomain (cluster.local): pods would ask the cluster for it',
    ],
  ],
  'folders in folders that are switched whole': [
    {
      more: 'paths: { etcd: { bin: /etc/kubernetes/pki/kube-scheduler/bin }, kubernetes: { config: /etc/kubernetes/pki, audit: /var/log } }',
    },
    [
      '5:23: paths.etcd.bin: "/etc/kubernetes/pki/kube-scheduler/bin" lies in /etc/kubernetes/pki/kube-scheduler, which belongs to kube-scheduler alone; see paths.kubernetes.tls, by default',
      '5:87: paths.kubernetes.config: "/etc/kubernetes/pki" is the path of two things; see paths.kubernetes.tls, by default',
      '5:115: paths.kubernetes.audit: "/var/log" belongs to the system; name a folder of its own, such as /var/log/kubernetes',
    ],
  ],
  'programs of both in one folder, etcd’s certificates below those of Kubernetes': [
    {
      more: 'paths: { etcd: { bin: /srv/bin, tls: /etc/kubernetes/pki/etcd }, kubernetes: { bin: /srv/bin } }',
    },
    [],
  ],
};

describe('a control plane in cluster.yaml', () => {
  it.each(Object.keys(cases))('%s', (name) => {
    const [lines, expected] = cases[name] as (typeof cases)[string];
    expect(said(lines)).toEqual(expected);
  });

  const version = (text: string) => {
    const file = `name: a\nhosts: [${hostsOf(1)}]\netcd: { version: 3.6.5 }\nkubernetes: { version: ${text}, serviceCidr: 172.0.0.0/8 }\n`;
    try {
      return parseClusterWithWarnings(file, where).warnings;
    } catch (error) {
      return (error as Error).message.split('\n').slice(1);
    }
  };

  it('is of a version that kbin knows', () => {
    expect(version('1.33.0')).toEqual([]);
    expect(version('v1.36.99')).toEqual([]);
    expect(version('1.37.0')).toEqual([
      'c.yaml:4:24: kubernetes.version: Kubernetes 1.37 is newer than kbin knows (1.20 to 1.36): flags may have come and gone',
    ]);
    expect(version('1.19.16')).toEqual([
      'c.yaml:4:24: kubernetes.version: Kubernetes 1.19.16 is too old: kbin knows 1.20 to 1.36',
      'c.yaml:4:46: kubernetes.serviceCidr: 172.0.0.0/8 is larger than kube-apiserver takes before 1.33: 20 bits for services',
    ]);
    expect(version('1.32.9')).toEqual([
      'c.yaml:4:45: kubernetes.serviceCidr: 172.0.0.0/8 is larger than kube-apiserver takes before 1.33: 20 bits for services',
    ]);
  });

  it('is not asked for without a version: nothing is said of its defaults then', () => {
    const text =
      'name: a\nhosts: [{ name: n, address: "fd00::1" }]\netcd: { version: 3.6.5, clientPort: 10257 }\npaths: { etcd: { tls: /etc/kubernetes/pki } }\n';
    const { cluster, warnings } = parseClusterWithWarnings(text, where);
    expect([cluster.kubernetes.version, warnings]).toEqual([undefined, []]);
  });
});
