import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkStore } from '../../src/ca/check-store.ts';
import { revocables } from '../../src/ca/revocable.ts';
import { revoke } from '../../src/ca/revoke.ts';
import { authorityRotation } from '../../src/ca/rotate-authority.ts';
import type { Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { filledStore, smallCluster, smallPlan } from './stores.ts';

async function findings(store: Store, plan = smallPlan, now = new Date()): Promise<string[]> {
  const { certificates, others } = await checkStore(plan, store.folder, { now, withinHours: 720 });
  return [
    ...certificates.flatMap((one) => one.findings.map((finding) => ({ ...finding, name: one.name }))),
    ...others,
  ].map(({ severity, code, name }) => `${severity} ${code} ${name}`);
}

const at = (store: Store, path: string): string => join(store.folder, path);

test('a store as it was made is good, and every certificate leads to its CA', async () => {
  const store = await filledStore();
  const { certificates, others } = await checkStore(smallPlan, store.folder, {
    now: new Date(),
    withinHours: 720,
  });
  expect({ others, findings: certificates.flatMap((one) => one.findings) }).toEqual({
    others: [],
    findings: [],
  });
  expect(certificates.map(({ name, signedBy }) => `${name} < ${signedBy}`)).toEqual(
    smallPlan.authorities.flatMap(({ id, leaves }) => [
      `${id} < ${id}`,
      ...leaves.map((leaf) => `${leaf.id} < ${id}`),
    ]),
  );
});

describe('what is wrong is found', () => {
  test.each<[string, (store: Store) => void, readonly string[]]>([
    [
      'a key that is open to others',
      (store) => chmodSync(at(store, 'etcd-ca/ca.key'), 0o640),
      ['fail key-open etcd-ca'],
    ],
    [
      'a retired key that is open to others',
      (store) => {
        mkdirSync(at(store, 'archive/etcd-ca'), { recursive: true });
        writeFileSync(at(store, 'archive/etcd-ca/ca-20260101-ab12cd34.key'), 'retired', { mode: 0o644 });
      },
      ['fail key-open archive/etcd-ca/ca-20260101-ab12cd34.key'],
    ],
    [
      'tokens’ and Secrets’ keys that are open to others',
      (store) => {
        chmodSync(at(store, 'service-account/sa.key'), 0o604);
        chmodSync(at(store, 'encryption-key/key1.key'), 0o660);
      },
      ['fail key-open service-account/sa.key', 'fail key-open encryption-key/key1.key'],
    ],
    [
      'another key',
      (store) => copyFileSync(at(store, 'kubernetes-ca/admin.key'), at(store, 'kubernetes-ca/scheduler.key')),
      ['fail key-mismatch scheduler'],
    ],
    [
      'a certificate that is gone',
      (store) => rmSync(at(store, 'etcd-ca/etcd-peer@m1.crt')),
      ['fail not-as-planned etcd-peer@m1'],
    ],
    [
      'one that is cut short',
      (store) => {
        const file = at(store, 'etcd-ca/etcd-peer@m1.crt');
        writeFileSync(file, readFileSync(file, 'utf8').slice(0, 300));
      },
      ['fail certificate-unreadable etcd-peer@m1'],
    ],
    [
      'one of another CA',
      (store) => {
        for (const ending of ['crt', 'key', 'key.sha256']) {
          const client = at(store, `kubernetes-ca/admin.${ending}`);
          copyFileSync(client, at(store, `etcd-ca/etcd-peer@m1.${ending}`));
        }
      },
      [
        'fail issuer-unknown etcd-peer@m1',
        'fail server-usage etcd-peer@m1',
        'fail server-sans etcd-peer@m1',
        'fail not-as-planned etcd-peer@m1',
        'fail not-as-planned etcd-peer@m1',
        'fail not-as-planned etcd-peer@m1',
      ],
    ],
    [
      'a digest that is gone',
      (store) => rmSync(at(store, 'etcd-ca/ca.key.sha256')),
      ['warn not-as-planned etcd-ca'],
    ],
    ['a CA key that is kept elsewhere', (store) => rmSync(at(store, 'etcd-ca/ca.key')), []],
    [
      'a service-account key that is kept elsewhere',
      (store) => rmSync(at(store, 'service-account/sa.key')),
      ['warn key-pair-lost service-account'],
    ],
  ])('%s', async (_what, damage, expected) => {
    const store = await filledStore();
    damage(store);
    expect(await findings(store)).toEqual(expected);
  });

  test('a copy without any key is good', async () => {
    const store = await filledStore();
    for (const path of diskFiles(store.folder).list()) if (path.endsWith('.key')) rmSync(at(store, path));
    expect(await findings(store)).toEqual([]);
  });

  test('what ends soon, and what has ended', async () => {
    const store = await filledStore();
    const years = (count: number) => new Date(Date.now() + count * 365 * 86_400_000);
    const soon = await findings(store, smallPlan, new Date(years(10).getTime() - 86_400_000));
    expect(soon).toHaveLength(13);
    expect(new Set(soon.map((finding) => finding.split(' ')[1]))).toEqual(new Set(['expires-soon']));
    expect(await findings(store, smallPlan, years(21))).toContain('fail expired etcd-ca');
  });

  test('what cluster.yaml wants by now, and wants no more', async () => {
    const store = await filledStore();
    const hosts = [exampleHost('m2', '10.0.0.2')];
    const found = await findings(store, certificatePlan(exampleCluster({ hosts })));
    expect(found).toContain('fail not-made etcd-server@m2');
    expect(found).toContain('warn not-in-plan etcd-server@m1');
  });
});

test('each phase of a rotation is good: what comes next and what is still trusted is looked at too', async () => {
  const store = await filledStore();
  const kind = authorityRotation('etcd-ca');
  const names = async () => {
    const { certificates } = await checkStore(smallPlan, store.folder, { now: new Date(), withinHours: 720 });
    return certificates
      .filter(({ name = '' }) => /etcd-ca$|etcd-server/.test(name))
      .map(({ name, signedBy }) => `${name} < ${signedBy}`);
  };
  for (const expected of [
    ['etcd-ca < etcd-ca', 'next/etcd-ca < next/etcd-ca', 'etcd-server@m1 < etcd-ca'],
    ['etcd-ca < etcd-ca', 'previous/etcd-ca < previous/etcd-ca', 'etcd-server@m1 < etcd-ca'],
    ['etcd-ca < etcd-ca', 'etcd-server@m1 < etcd-ca'],
  ]) {
    const from = kind.phase(diskFiles(store.folder));
    await kind.advance({ plan: smallPlan, store, now: new Date(), from, command: 'test' });
    expect(await findings(store)).toEqual([]);
    expect(await names()).toEqual(expected);
  }
});

test('a revocation list that grows old, and one that has expired', async () => {
  const store = await filledStore();
  const one = revocables(smallPlan, diskFiles(store.folder)).find(
    ({ name }) => name === 'apiserver-etcd-client',
  );
  if (one === undefined) throw new Error('nothing to revoke');
  await revoke(smallPlan, store, [one], { reason: 'keyCompromise', now: new Date() });
  expect(await findings(store)).toEqual([]);
  const hours = smallCluster.pki.validity.crl;
  const later = (part: number) => new Date(Date.now() + hours * part * 3_600_000);
  expect(await findings(store, smallPlan, later(0.6))).toEqual(['warn crl-expires etcd-ca/crl']);
  expect(await findings(store, smallPlan, later(1.1))).toEqual(['fail crl-expired etcd-ca/crl']);
});
