import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { PlannedLeaf } from '../../src/desired/certificate-plan.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { KbinError } from '../../src/errors.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';

function leavesOf(cluster: Cluster): readonly PlannedLeaf[] {
  return certificatePlan(cluster).authorities.flatMap(({ leaves }) => leaves);
}

function leaf(cluster: Cluster, id: string): PlannedLeaf {
  const found = leavesOf(cluster).find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`no ${id} in the plan`);
  return found;
}

const sansOf = (cluster: Cluster, id: string): string[] =>
  leaf(cluster, id).sans.map(({ type, value }) => `${type}:${value}`);

describe('certificatePlan', () => {
  test('of three stacked hosts', () => {
    const { authorities, keyPairs } = certificatePlan(exampleCluster());
    expect(authorities.map(({ id, leaves }) => [id, leaves.map((entry) => entry.id)])).toEqual([
      [
        'etcd-ca',
        [
          'etcd-server@k8s-master1',
          'etcd-server@k8s-master2',
          'etcd-server@k8s-master3',
          'etcd-peer@k8s-master1',
          'etcd-peer@k8s-master2',
          'etcd-peer@k8s-master3',
          'etcd-healthcheck-client',
          'apiserver-etcd-client',
        ],
      ],
      [
        'kubernetes-ca',
        [
          'apiserver@k8s-master1',
          'apiserver@k8s-master2',
          'apiserver@k8s-master3',
          'apiserver-kubelet-client',
          'controller-manager',
          'controller-manager-server@k8s-master1',
          'controller-manager-server@k8s-master2',
          'controller-manager-server@k8s-master3',
          'scheduler',
          'scheduler-server@k8s-master1',
          'scheduler-server@k8s-master2',
          'scheduler-server@k8s-master3',
          'admin',
          'kube-proxy',
        ],
      ],
      ['front-proxy-ca', ['front-proxy-client']],
    ]);
    expect(keyPairs).toEqual([
      { id: 'service-account', purpose: 'signs and verifies service-account tokens', key: 'ecdsa-p256' },
    ]);
  });

  test('of one certificate, whole', () => {
    expect(leaf(exampleCluster(), 'etcd-server@k8s-master2')).toEqual({
      id: 'etcd-server@k8s-master2',
      purpose: 'what a member shows to its clients',
      entry: 'etcd-server',
      authority: 'etcd-ca',
      host: 'k8s-master2',
      subject: [{ type: 'CN', value: 'k8s-master2' }],
      key: 'ecdsa-p256',
      usages: ['signing', 'server auth', 'client auth'],
      validityHours: 87600,
      sans: [
        { type: 'dns', value: 'k8s-master2' },
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '192.168.31.72' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        { type: 'ip', value: '192.168.31.74' },
      ],
      needed: [
        { type: 'ip', value: '192.168.31.72' },
        { type: 'ip', value: '192.168.31.74' },
      ],
    });
  });

  test('SANs of an apiserver', () => {
    expect(sansOf(exampleCluster(), 'apiserver@k8s-master1')).toEqual([
      'dns:k8s-master1',
      'dns:kubernetes',
      'dns:kubernetes.default',
      'dns:kubernetes.default.svc',
      'dns:kubernetes.default.svc.cluster.local',
      'dns:localhost',
      'ip:10.96.0.1',
      'ip:192.168.31.71',
      'ip:192.168.31.75',
      'ip:127.0.0.1',
      'ip:192.168.31.74',
    ]);
  });

  test.each([
    ['10.96.0.0/12', ['ip:10.96.0.1']],
    ['10.0.0.0/24', ['ip:10.0.0.1']],
    ['fd00:10:96::/108', ['ip:fd00:10:96::1']],
    ['10.96.0.0/16,fd00:10:96::/112', ['ip:10.96.0.1', 'ip:fd00:10:96::1']],
  ])("the first address of service CIDR %s is the apiserver's", (serviceCidr, first) => {
    const sans = sansOf(exampleCluster({ kubernetes: { serviceCidr } }), 'apiserver@k8s-master1');
    expect(sans).toEqual(expect.arrayContaining(first));
  });

  test('DNS domain, a DNS name as endpoint, and no endpoint', () => {
    const named = exampleCluster({
      kubernetes: { dnsDomain: 'corp.internal' },
      endpoint: { address: 'api.example.org', port: 6443 },
    });
    expect(sansOf(named, 'apiserver@k8s-master1')).toEqual(
      expect.arrayContaining(['dns:kubernetes.default.svc.corp.internal', 'dns:api.example.org']),
    );
    const none = sansOf(exampleCluster({ endpoint: undefined }), 'apiserver@k8s-master1');
    expect(none).not.toContain('ip:192.168.31.75');
  });

  test('extra SANs by entry and by id; each name stands once', () => {
    const cluster = exampleCluster({
      pki: {
        extraSans: {
          apiserver: ['*.api.example.org', '192.168.31.75', '10.9.9.9'],
          'apiserver@k8s-master2': ['only-here.example.org'],
          admin: ['admin.example.org'],
        },
      },
    });
    const first = sansOf(cluster, 'apiserver@k8s-master1');
    expect(first.slice(-2)).toEqual(['dns:*.api.example.org', 'ip:10.9.9.9']);
    expect(first.filter((san) => san === 'ip:192.168.31.75')).toHaveLength(1);
    expect(sansOf(cluster, 'apiserver@k8s-master2').at(-1)).toBe('dns:only-here.example.org');
    expect(sansOf(cluster, 'admin')).toEqual(['dns:admin.example.org']);
  });

  test('RSA keys may encipher, elliptic-curve keys may not', () => {
    const rsa = exampleCluster({ pki: { key: 'rsa-3072' } });
    expect(leaf(rsa, 'apiserver@k8s-master1')).toMatchObject({
      key: 'rsa-3072',
      usages: ['signing', 'key encipherment', 'server auth'],
    });
    expect(leaf(exampleCluster(), 'apiserver@k8s-master1').usages).toEqual(['signing', 'server auth']);
  });

  test('subject fields go into every certificate; an organisation of the plan stays', () => {
    const subject = { C: 'AT', ST: 'Wien', L: 'Wien', O: 'Example', OU: 'Ops' };
    const cluster = exampleCluster({ pki: { subject } });
    const text = (fields: PlannedLeaf['subject']): string =>
      fields.map(({ type, value }) => `${type}=${value}`).join(',');
    expect(text(leaf(cluster, 'etcd-peer@k8s-master1').subject)).toBe(
      'C=AT,ST=Wien,L=Wien,O=Example,OU=Ops,CN=k8s-master1',
    );
    expect(text(leaf(cluster, 'admin').subject)).toBe(
      'C=AT,ST=Wien,L=Wien,O=system:masters,OU=Ops,CN=kubernetes-admin',
    );
    const [etcdCa] = certificatePlan(cluster).authorities;
    expect(text(etcdCa?.subject ?? [])).toBe('C=AT,ST=Wien,L=Wien,O=Example,OU=Ops,CN=etcd-ca');
  });

  test("a client's group never comes out of cluster.yaml, and nothing else of the subject changes for it", () => {
    const bare = leavesOf(exampleCluster({ pki: { subject: { OU: 'Ops' } } }));
    const leaves = leavesOf(exampleCluster({ pki: { subject: { O: 'Example', OU: 'Ops' } } }));
    const groupOf = ({ subject }: PlannedLeaf): string | undefined =>
      subject.find(({ type }) => type === 'O')?.value;
    const ofKubernetes = leaves.filter(
      ({ authority, usages }) => authority === 'kubernetes-ca' && usages.includes('client auth'),
    );
    expect(Object.fromEntries(ofKubernetes.map((leaf) => [leaf.id, groupOf(leaf)]))).toEqual({
      'apiserver-kubelet-client': undefined,
      'controller-manager': 'system:kube-controller-manager',
      scheduler: 'system:kube-scheduler',
      admin: 'system:masters',
      'kube-proxy': 'system:node-proxier',
    });
    expect(ofKubernetes).toEqual(bare.filter(({ id }) => ofKubernetes.some((leaf) => leaf.id === id)));
    const others = leaves.filter((leaf) => !ofKubernetes.includes(leaf));
    expect(new Set(others.map(groupOf))).toEqual(new Set(['Example']));
  });

  test("hosts get what their roles need; the cluster's own certificates are always made", () => {
    const cluster = exampleCluster({
      hosts: [exampleHost('e1', '10.0.0.1', ['etcd']), exampleHost('w1', '10.0.0.2', ['worker'])],
    });
    expect(leavesOf(cluster).map(({ id }) => id)).toEqual([
      'etcd-server@e1',
      'etcd-peer@e1',
      'etcd-healthcheck-client',
      'apiserver-etcd-client',
      'apiserver-kubelet-client',
      'controller-manager',
      'scheduler',
      'admin',
      'kube-proxy',
      'front-proxy-client',
    ]);
  });

  test('IPv6 hosts', () => {
    const cluster = exampleCluster({ hosts: [exampleHost('e1', 'fd00::11', ['etcd'])] });
    expect(sansOf(cluster, 'etcd-peer@e1')).toContain('ip:fd00::11');
  });

  test('refuses extra SANs for what is no certificate, and a subject that grants a group', () => {
    const cluster = exampleCluster({
      pki: {
        subject: { O: 'system:masters' },
        extraSans: { apisrver: ['a.example.org'], 'etcd-ca': ['b.example.org'], 'apiserver@nobody': [] },
      },
    });
    const attempt = (): unknown => certificatePlan(cluster);
    expect(attempt).toThrow(KbinError);
    expect(attempt).toThrow(
      [
        'pki: in cluster.yaml asks for what cannot be made',
        'pki.subject.O: "system:masters" is the name of a group of Kubernetes\' own; choose one without "system:"',
        'pki.extraSans.apisrver: no certificate of this cluster has that id; did you mean "apiserver"?',
        "pki.extraSans.etcd-ca: a CA is never reached under a name; give a certificate's id",
        'pki.extraSans.apiserver@nobody: no certificate of this cluster has that id; did you mean "apiserver"?',
      ].join('\n'),
    );
  });
});
