import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/ca/store.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { StoreView } from '../../src/desired/store-view.ts';
import { certificates } from '../../src/diff/certificates.ts';
import { init, smallCluster } from '../ca/stores.ts';
import { exampleCluster, exampleHost, type Overrides } from '../cluster/fixture.ts';
import { told } from './control-plane-situations.ts';

const day = 24 * 60 * 60 * 1000;
let store: StoreView;
let other: StoreView;
const folder = mkdtempSync(join(tmpdir(), 'kbin-certificates-'));
beforeAll(async () => {
  const made = await Promise.all(['one', 'other'].map((name) => openStore(join(folder, name, 'pki'))));
  await Promise.all(made.map((one) => init(one)));
  [store, other] = made.map((one) => one.view()) as [StoreView, StoreView];
});
afterAll(() => rmSync(folder, { recursive: true }));

const changed = (overrides: Overrides<Cluster>): Cluster =>
  exampleCluster({ hosts: smallCluster.hosts, ...overrides });
const judged = (cluster: Cluster = smallCluster, view: Partial<StoreView> = {}, days = 0, only?: string[]) =>
  certificates({
    cluster,
    hosts: cluster.hosts,
    store: { ...store, ...view },
    now: Date.now() + days * day,
    ...(only === undefined ? {} : { only }),
  });

test('those that were just made for the cluster will do', () => {
  expect(judged()).toEqual([]);
});

test('one that its CA has revoked', () => {
  const { serialNumber } = new X509Certificate(store.certificate('etcd-peer@m1')?.pem ?? '');
  const revocations: StoreView['revocations'] = (id) =>
    id === 'etcd-ca'
      ? { list: 'MAA=', serials: ['5A01', serialNumber], last: { serial: '5A01', at: new Date() } }
      : undefined;
  const findings = judged(smallCluster, { revocations });
  expect(told(findings)).toEqual(['stop certificate-revoked']);
  expect(findings[0]?.message).toBe('the certificate etcd-peer@m1 of the store is revoked');
  expect(judged(smallCluster, { revocations }, 0, ['kube-apiserver'])).toEqual([]);
});

describe('names that clients use, and the certificate lacks', () => {
  test.each<[string, Overrides<Cluster>, string]>([
    [
      'another endpoint',
      { endpoint: { address: 'api.example.org' } },
      'the certificate apiserver@m1 of the store is not good for api.example.org',
    ],
    [
      'another service network',
      { kubernetes: { serviceCidr: '10.200.0.0/16' } },
      'the certificate apiserver@m1 of the store is not good for 10.200.0.1',
    ],
    [
      'another domain',
      { kubernetes: { dnsDomain: 'k8s.example.org' } },
      'the certificate apiserver@m1 of the store is not good for kubernetes.default.svc.k8s.example.org',
    ],
  ])('%s', (_what, overrides, message) => {
    const findings = judged(changed(overrides));
    expect(findings.map((finding) => finding.message)).toEqual([message]);
    expect(findings[0]).toMatchObject({
      severity: 'stop',
      code: 'names-missing',
      next: expect.stringContaining('kbin pki init'),
    });
  });

  test('another address of the host: all of its certificates, told once', () => {
    const moved = exampleCluster({ hosts: [exampleHost('m1', '10.0.0.99')] });
    expect(judged(moved).map(({ message }) => message)).toEqual([
      'the certificates etcd-server@m1, etcd-peer@m1, apiserver@m1, controller-manager-server@m1, scheduler-server@m1 of the store are not good for 10.0.0.99',
    ]);
    expect(judged(moved, {}, 0, ['etcd']).map(({ message }) => message)).toEqual([
      'the certificates etcd-server@m1, etcd-peer@m1 of the store are not good for 10.0.0.99',
    ]);
  });

  test('a name that only the subject has is none', () => {
    const named = changed({ pki: { extraSans: { apiserver: ['kube-apiserver'] } } });
    expect(told(judged(named))).toEqual(['stop names-missing']);
  });
});

describe('dates', () => {
  test('ten years from now', () => {
    const codes = new Set(told(judged(smallCluster, {}, 3651)));
    expect([...codes]).toEqual(['stop certificate-expired']);
    expect(judged(smallCluster, {}, 3651)[0]?.message).toMatch(/ expired on 20\d\d-\d\d-\d\d$/);
  });
  test('shortly before', () => {
    const findings = judged(smallCluster, {}, 3640);
    expect([...new Set(told(findings))]).toEqual(['warning certificate-expires']);
    expect(findings[0]?.message).toMatch(/ has (9|10) days left, until /);
  });
  test('a clock that is wrong', () => {
    expect(judged(smallCluster, {}, -2)[0]).toMatchObject({
      code: 'certificate-expired',
      message: expect.stringContaining('is not valid before'),
    });
  });
});

test('a CA out of another store', () => {
  const mixed = judged(smallCluster, {
    certificate: (id) => (id === 'kubernetes-ca' ? other : store).certificate(id),
  });
  expect(new Set(told(mixed))).toEqual(new Set(['stop certificate-of-other-ca']));
  expect(mixed.map(({ message }) => message)).toContain(
    'the certificate apiserver@m1 of the store is not signed by its kubernetes-ca',
  );
});

test('a file that is damaged', () => {
  const damaged = judged(smallCluster, {
    certificate: (id) =>
      id === 'apiserver@m1' ? { ref: 'x', pem: '-----BEGIN CERTIFICATE-----\n' } : store.certificate(id),
  });
  expect(told(damaged)).toEqual(['stop certificate-unreadable']);
});

describe('usages', () => {
  /** The certificate of another job in the place of etcd's. */
  const inPlaceOf = (id: string, used: string) =>
    judged(smallCluster, { certificate: (wanted) => store.certificate(wanted === id ? used : wanted) }, 0, [
      'etcd',
    ]);

  test('a client certificate serves nobody', () => {
    const findings = inPlaceOf('etcd-server@m1', 'etcd-healthcheck-client');
    expect(findings.find(({ code }) => code === 'usages-missing')).toMatchObject({
      severity: 'stop',
      message: 'the certificate etcd-server@m1 of the store is not meant for server auth',
      next: expect.stringContaining('kbin pki init'),
    });
  });
  test('one for both is good for either', () => {
    expect(told(inPlaceOf('etcd-healthcheck-client', 'etcd-peer@m1'))).toEqual([]);
  });
});
