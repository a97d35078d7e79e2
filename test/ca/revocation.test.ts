import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crlPem, inspectCrl, readCrl } from '../../src/ca/crl-read.ts';
import { inspectPem } from '../../src/ca/inspect.ts';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import { revocables } from '../../src/ca/revocable.ts';
import { revokedBy } from '../../src/ca/revocation.ts';
import { renewLists, revoke } from '../../src/ca/revoke.ts';
import { authorityRotation } from '../../src/ca/rotate-authority.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { filledStore, smallPlan } from './stores.ts';

const hour = 3_600_000;
const openssl = (...argv: string[]): string =>
  execFileSync('openssl', argv, { encoding: 'utf8', stdio: 'pipe' });

function named(store: Store, name: string, plan = smallPlan) {
  const found = revocables(plan, diskFiles(store.folder)).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const pem = (store: Store, path: string): string => readFileSync(join(store.folder, path), 'utf8');

async function revokeNamed(store: Store, name: string, now = new Date(), plan = smallPlan) {
  const one = named(store, name, plan);
  const [result] = await revoke(plan, store, [one], { reason: 'keyCompromise', now });
  if (result === undefined) throw new Error(`nothing was done of ${name}`);
  return result;
}

describe.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('with a CA of type %s', (key) => {
  const cluster = exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')] });
  const plan = certificatePlan({ ...cluster, pki: { ...cluster.pki, key } });

  test('openssl verifies the list and refuses by it what is revoked, and nothing else', {
    timeout: 30_000,
  }, async () => {
    const store = await filledStore(plan);
    const at = (path: string) => join(store.folder, path);
    const old = at('old.crt');
    writeFileSync(old, pem(store, 'etcd-ca/apiserver-etcd-client.crt'));
    await revokeNamed(store, 'apiserver-etcd-client', new Date(), plan);
    const ca = at('etcd-ca/ca.crt');
    const list = ['-in', at('etcd-ca/crl.pem'), '-CAfile', ca, '-noout'];
    expect(() => openssl('crl', '-verify', ...list)).not.toThrow();
    expect(openssl('crl', '-inform', 'DER', '-in', at('etcd-ca/crl.der'), '-text', '-noout')).toMatch(
      /Version 2[\s\S]*X509v3 Authority Key Identifier[\s\S]*X509v3 CRL Number[\s\S]*Key Compromise/,
    );
    const check = (file: string) =>
      openssl('verify', '-x509_strict', '-crl_check', '-CRLfile', at('etcd-ca/crl.pem'), '-CAfile', ca, file);
    expect(() => check(old)).toThrow('certificate revoked');
    for (const id of ['apiserver-etcd-client', 'etcd-server@m1', 'etcd-peer@m1', 'etcd-healthcheck-client']) {
      expect(check(at(`etcd-ca/${id}.crt`))).toContain('OK');
    }
    expect(readCrl(readFileSync(at('etcd-ca/crl.der')))).toMatchObject({
      authorityKeyId: inspectPem(readFileSync(ca, 'utf8'))[0]?.subjectKeyId,
      revoked: [{ serial: inspectPem(readFileSync(old, 'utf8'))[0]?.serial, reason: 1 }],
    });
  });
});

test('what the plan wants is issued anew with a new key in the same moment; nothing else is touched', async () => {
  const store = await filledStore();
  const before = new Map(
    diskFiles(store.folder)
      .list()
      .map((path) => [path, pem(store, path)]),
  );
  const { applied } = await revokeNamed(store, 'etcd-peer@m1');
  expect(applied.map(({ id, action, reasons }) => [id, action, reasons.map(({ code }) => code)])).toEqual([
    ['etcd-peer@m1', 'reissue', ['revoked']],
    ['etcd-ca/crl', 'create', ['crl-missing']],
  ]);
  const changed = [...before].filter(([path, text]) => pem(store, path) !== text).map(([path]) => path);
  expect(changed.sort()).toEqual([
    'etcd-ca/etcd-peer@m1.crt',
    'etcd-ca/etcd-peer@m1.key',
    'etcd-ca/etcd-peer@m1.key.sha256',
  ]);
  expect((await reconcileStore(smallPlan, store, { now: new Date() })).applied).toEqual([]);
});

test('what waits for an answer is not revoked: the deploy would bring it, and the list that it is on', async () => {
  const store = await filledStore();
  const request = join(store.folder, 'next/etcd-ca/etcd-peer@m1.csr');
  mkdirSync(dirname(request), { recursive: true });
  writeFileSync(request, 'a request');
  await expect(revokeNamed(store, 'etcd-peer@m1')).rejects.toThrow(
    `etcd-peer@m1 waits for an answer to ${request}`,
  );
  expect(revokedBy(diskFiles(store.folder), 'etcd-ca')).toEqual([]);
  expect((await revokeNamed(store, 'etcd-server@m1')).revoked).toHaveLength(1);
  rmSync(request);
  expect((await revokeNamed(store, 'etcd-peer@m1')).revoked).toHaveLength(1);
});

test('revoked again: nothing changes, not even the list', async () => {
  const store = await filledStore();
  const one = named(store, 'admin');
  await revoke(smallPlan, store, [one], { reason: 'superseded', now: new Date() });
  const list = pem(store, 'kubernetes-ca/crl.pem');
  const [again] = await revoke(smallPlan, store, [one], {
    reason: 'keyCompromise',
    now: new Date(),
  });
  expect(again).toMatchObject({
    revoked: [],
    already: [{ name: 'admin', reason: 'superseded' }],
    applied: [],
  });
  expect(pem(store, 'kubernetes-ca/crl.pem')).toBe(list);
});

test('the list’s number rises with every list, also where the one before is lost', async () => {
  const store = await filledStore();
  const now = new Date();
  const number = () => inspectCrl(pem(store, 'etcd-ca/crl.pem'), 'the list').number ?? 0n;
  await revokeNamed(store, 'etcd-peer@m1', now);
  const first = number();
  await renewLists(smallPlan, store, ['etcd-ca'], { now });
  expect(number()).toBe(first + 1n);
  rmSync(join(store.folder, 'etcd-ca/crl.pem'));
  await reconcileStore(smallPlan, store, { now: new Date(now.getTime() + 5000) });
  expect(number()).toBe(first + 5n);
});

describe('what pki init makes of the list', () => {
  const later = (hours: number) => new Date(Date.now() + hours * hour);
  const reasons = async (store: Store, now: Date) =>
    (await reconcileStore(smallPlan, store, { now })).applied.map(({ id, reasons: all }) => [
      id,
      all.map(({ code }) => code),
    ]);

  test('nothing before something is revoked', async () => {
    const store = await filledStore();
    expect(await reasons(store, later(50 * 24))).toEqual([]);
    expect(
      diskFiles(store.folder)
        .list()
        .filter((path) => /crl|revoked/.test(path)),
    ).toEqual([]);
  });

  test('anew when half of its time is over, not before', async () => {
    const store = await filledStore();
    await revokeNamed(store, 'etcd-peer@m1');
    expect(await reasons(store, later(44 * 24))).toEqual([]);
    expect(await reasons(store, later(46 * 24))).toEqual([['etcd-ca/crl', ['crl-expires']]]);
    expect(await reasons(store, later(46 * 24))).toEqual([]);
  });

  test('anew when it is lost, damaged, another one in DER, or of another CA', async () => {
    const store = await filledStore();
    const other = await filledStore();
    await revokeNamed(store, 'etcd-peer@m1');
    await revokeNamed(other, 'etcd-peer@m1');
    const file = (path: string) => join(store.folder, path);
    const cases: [string, () => void, string[]][] = [
      ['lost', () => rmSync(file('etcd-ca/crl.pem')), ['crl-missing']],
      ['damaged', () => writeFileSync(file('etcd-ca/crl.pem'), 'nonsense'), ['crl-unreadable']],
      ['DER lost', () => rmSync(file('etcd-ca/crl.der')), ['crl-missing']],
      [
        'of another CA',
        () => {
          const { der } = inspectCrl(pem(other, 'etcd-ca/crl.pem'), 'theirs');
          writeFileSync(file('etcd-ca/crl.pem'), crlPem(der));
          writeFileSync(file('etcd-ca/crl.der'), der);
        },
        ['crl-entries', 'crl-signer'],
      ],
    ];
    for (const [what, damage, codes] of cases) {
      damage();
      expect(await reasons(store, new Date()), what).toEqual([['etcd-ca/crl', codes]]);
      expect(await reasons(store, new Date()), what).toEqual([]);
    }
  });

  test('without the CA’s key its age is a note; an entry that is missing stops', async () => {
    const store = await filledStore();
    await revokeNamed(store, 'etcd-peer@m1');
    rmSync(join(store.folder, 'etcd-ca/ca.key'));
    const { applied, notes } = await reconcileStore(smallPlan, store, { now: later(46 * 24) });
    expect([applied, notes.map(({ id }) => id)]).toEqual([[], ['etcd-ca/crl']]);
    rmSync(join(store.folder, 'etcd-ca/crl.pem'));
    await expect(reconcileStore(smallPlan, store, { now: new Date() })).rejects.toThrow(
      'etcd-ca/ca.key is missing',
    );
  });

  test('a record that is damaged stops everything, and is not written over', async () => {
    const store = await filledStore();
    await revokeNamed(store, 'etcd-peer@m1');
    const file = join(store.folder, 'etcd-ca/revoked');
    const good = readFileSync(file, 'utf8');
    for (const text of [
      'nonsense',
      '{}',
      good.trim().replace('keyCompromise', 'certificateHold'),
      good.slice(0, 40),
    ]) {
      writeFileSync(file, `${good}${text}\n`);
      await expect(reconcileStore(smallPlan, store, { now: new Date() })).rejects.toThrow('cannot be read');
      await expect(revokeNamed(store, 'etcd-healthcheck-client')).rejects.toThrow('cannot be read');
      expect(readFileSync(file, 'utf8')).toBe(`${good}${text}\n`);
    }
  });
});

test('troubles of another CA keep nobody from revoking; those of its own do, with nothing changed', async () => {
  const store = await filledStore();
  writeFileSync(join(store.folder, 'kubernetes-ca/ca.crt'), 'nonsense');
  rmSync(join(store.folder, 'front-proxy-ca/ca.key'));
  expect((await revokeNamed(store, 'etcd-peer@m1')).revoked).toHaveLength(1);
  const one = { authority: 'front-proxy-ca', serial: '5A01', name: 'somebody', isCa: false };
  await expect(revoke(smallPlan, store, [one], { reason: 'unspecified', now: new Date() })).rejects.toThrow(
    'front-proxy-ca/ca.key is missing',
  );
  expect(revokedBy(diskFiles(store.folder), 'front-proxy-ca')).toEqual([]);
});

test('where the key of its CA is damaged nothing is half done', async () => {
  const store = await filledStore();
  const one = named(store, 'etcd-peer@m1');
  const served = pem(store, 'etcd-ca/etcd-peer@m1.crt');
  writeFileSync(join(store.folder, 'etcd-ca/ca.key'), 'nonsense');
  await expect(revoke(smallPlan, store, [one], { reason: 'unspecified', now: new Date() })).rejects.toThrow(
    'cannot be read',
  );
  expect(pem(store, 'etcd-ca/etcd-peer@m1.crt')).toBe(served);
  expect(revokedBy(diskFiles(store.folder), 'etcd-ca')).toEqual([]);
});

test('a rotation: the new CA signs one list of all that was revoked; the last one of the old CA stays beside it while that is trusted', async () => {
  const store = await filledStore();
  const at = (path: string) => join(store.folder, path);
  await revokeNamed(store, 'etcd-peer@m1');
  const last = readCrl(readFileSync(at('etcd-ca/crl.der')));
  const kind = authorityRotation('etcd-ca');
  const advance = () => {
    const from = kind.phase(diskFiles(store.folder));
    return kind.advance({ plan: smallPlan, store, now: new Date(), from, command: 'test' });
  };
  await advance();
  expect(readCrl(readFileSync(at('etcd-ca/crl.der'))).der).toEqual(last.der);
  await advance();
  const verify = (list: string, ca: string) =>
    openssl('crl', '-verify', '-in', at(list), '-CAfile', at(ca), '-noout');
  expect(() => verify('etcd-ca/crl.pem', 'etcd-ca/ca.crt')).not.toThrow();
  expect(() => verify('previous/etcd-ca/crl.pem', 'previous/etcd-ca/ca.crt')).not.toThrow();
  const now = readCrl(readFileSync(at('etcd-ca/crl.der')));
  expect(now.revoked).toEqual(last.revoked);
  expect(now.authorityKeyId).not.toBe(last.authorityKeyId);
  expect((await revokeNamed(store, 'etcd-server@m1')).revoked).toHaveLength(1);
  await advance();
  expect(readCrl(readFileSync(at('etcd-ca/crl.der'))).revoked).toHaveLength(2);
  expect(readdirSync(at('previous/etcd-ca'))).toEqual([]);
  expect((await reconcileStore(smallPlan, store, { now: new Date() })).applied).toEqual([]);
});

test('with an encrypted CA key it is opened with the passphrase; without one nothing changes', async () => {
  const store = await filledStore();
  const file = join(store.folder, 'etcd-ca/ca.key');
  const plain = createPrivateKey(readFileSync(file, 'utf8'));
  const sealed = plain.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'a passphrase',
  });
  writeFileSync(file, sealed);
  await expect(revokeNamed(store, 'etcd-peer@m1')).rejects.toThrow('encrypted');
  expect(revokedBy(diskFiles(store.folder), 'etcd-ca')).toEqual([]);
  const opening = await openStore(store.folder, async () => ({ value: 'a passphrase', from: 'the test' }));
  expect((await revokeNamed(opening, 'etcd-peer@m1')).applied).toHaveLength(2);
  expect(readFileSync(file, 'utf8')).toBe(sealed);
});
