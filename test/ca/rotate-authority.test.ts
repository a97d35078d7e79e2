import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { authorities, keyPairs, keyRings } from '../../pki/index.ts';
import { bundlesOfPhases } from '../../src/ca/bundle-phases.ts';
import { sha256 } from '../../src/ca/digest.ts';
import { nextAuthority, trialClient } from '../../src/ca/next-authority.ts';
import { authorityRotation } from '../../src/ca/rotate-authority.ts';
import { atRest, nextPhase, phaseName } from '../../src/ca/rotation.ts';
import { rotationKinds, rotationsUnderWay } from '../../src/ca/rotation-kinds.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { rotationOf } from '../../src/cli/pki/live-rotations.ts';
import { filledStore, init, smallPlan, temporaryFolder } from './stores.ts';

const kind = authorityRotation('etcd-ca');

const phase = (store: Store): number => kind.phase(diskFiles(store.folder));

function advance(store: Store, from = phase(store), now = new Date()): Promise<void> {
  return kind.advance({ plan: smallPlan, store, now, from, command: 'test' });
}

const read = (store: Store, path: string): string => readFileSync(join(store.folder, path), 'utf8');

/** Every file of the store with its content, but for locks. */
function contents(store: Store): Record<string, string> {
  const names = readdirSync(store.folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(store.folder, name)).isFile() && !name.includes('lock'));
  return Object.fromEntries(files.sort().map((name) => [name, read(store, name)]));
}

/** Whether openssl, told to trust these alone, takes the certificate. */
function verifies(trusted: string, certificate: string): boolean {
  const folder = temporaryFolder();
  const [ca, leaf] = [join(folder, 'ca'), join(folder, 'leaf')];
  writeFileSync(ca, trusted);
  writeFileSync(leaf, certificate);
  try {
    execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', ca, leaf], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const etcdLeaves = ['etcd-server@m1', 'etcd-peer@m1', 'etcd-healthcheck-client', 'apiserver-etcd-client'];

test('from rest to rest: trust, issue, drop', async () => {
  const store = await filledStore();
  const before = contents(store);
  const old = read(store, 'etcd-ca/ca.crt');
  expect(phase(store)).toBe(atRest);

  await advance(store);
  expect(phaseName(kind, phase(store))).toBe('trust');
  const young = read(store, 'next/etcd-ca/ca.crt');
  const {
    'next/etcd-ca/ca.crt': _1,
    'next/etcd-ca/ca.key': _2,
    'next/etcd-ca/ca.key.sha256': _3,
    ...rest
  } = contents(store);
  expect(rest).toEqual(before);
  expect(statSync(join(store.folder, 'next/etcd-ca/ca.key')).mode & 0o777).toBe(0o600);
  expect(store.view().trusted('etcd-ca')).toBe(old + young);
  expect(store.view().certificate('etcd-ca')?.pem).toBe(old);

  await advance(store);
  expect(phaseName(kind, phase(store))).toBe('issue');
  expect(store.view().trusted('etcd-ca')).toBe(young + old);
  expect(store.view().certificate('etcd-ca')?.pem).toBe(young);
  for (const id of etcdLeaves) {
    const leaf = read(store, `etcd-ca/${id}.crt`);
    expect(verifies(young, leaf), id).toBe(true);
    expect(verifies(old, leaf), id).toBe(false);
    // A new key as well: the old one was certified by a CA that may be known to others.
    expect(read(store, `etcd-ca/${id}.key`)).not.toBe(before[`etcd-ca/${id}.key`]);
  }
  const archive = readdirSync(join(store.folder, 'archive/etcd-ca')).sort();
  const piece = new X509Certificate(old).fingerprint256.replaceAll(':', '').slice(0, 8).toLowerCase();
  const stem = `ca-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}-${piece}`;
  expect(archive).toEqual([`${stem}.crt`, `${stem}.key`]);
  expect(read(store, `archive/etcd-ca/${stem}.crt`)).toBe(old);
  expect(read(store, `archive/etcd-ca/${stem}.key`)).toBe(before['etcd-ca/ca.key']);
  expect(statSync(join(store.folder, `archive/etcd-ca/${stem}.key`)).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(store.folder, 'previous/etcd-ca'))).toEqual(['ca.crt']);
  expect(readdirSync(join(store.folder, 'next/etcd-ca'))).toEqual([]);

  await advance(store);
  expect(phase(store)).toBe(atRest);
  expect(store.view().trusted('etcd-ca')).toBe(young);
  expect(readdirSync(join(store.folder, 'archive/etcd-ca')).sort()).toEqual(archive);
  expect(kind.since?.(diskFiles(store.folder))?.toISOString().slice(0, 10)).toBe(
    new Date().toISOString().slice(0, 10),
  );
  // Nothing of another CA was touched, and nothing is left to be done.
  const after = contents(store);
  for (const path of Object.keys(before)) {
    if (!path.startsWith('etcd-ca/')) expect(after[path], path).toBe(before[path]);
  }
  expect((await init(store)).applied).toEqual([]);
});

test('two rotations, and of two CAs at a time: each of its own', async () => {
  const store = await filledStore();
  const other = authorityRotation('kubernetes-ca');
  const own = read(store, 'etcd-ca/ca.crt');
  await advance(store);
  const input = { plan: smallPlan, store, now: new Date(), command: 'test' };
  await other.advance({ ...input, from: atRest });
  await advance(store);
  expect(other.phase(diskFiles(store.folder))).toBe(0);
  expect(rotationsUnderWay(store.folder).map(({ id, phase: name }) => [id, name])).toEqual([
    ['etcd-ca', 'issue'],
    ['kubernetes-ca', 'trust'],
  ]);
  await advance(store);
  const second = read(store, 'etcd-ca/ca.crt');
  for (let from = atRest, round = 0; round <= kind.phases.length; round++, from = nextPhase(kind, from)) {
    await advance(store, from);
  }
  expect(phase(store)).toBe(atRest);
  const retired = readdirSync(join(store.folder, 'archive/etcd-ca')).filter((name) => name.endsWith('.crt'));
  const texts = retired.map((name) => read(store, `archive/etcd-ca/${name}`));
  expect(texts.sort()).toEqual([own, second].sort());
});

test('a step that was carried out meanwhile is not carried out again', async () => {
  const store = await filledStore();
  await advance(store, atRest);
  const once = contents(store);
  await advance(store, atRest);
  await advance(store, 1);
  expect(contents(store)).toEqual(once);
});

test('a host’s bundle tells the phase that gave it', async () => {
  const store = await filledStore();
  const seen = (): (string | undefined)[] => {
    const bundles = bundlesOfPhases('etcd-ca', diskFiles(store.folder));
    return given.map((pem) => {
      const found = bundles.find((bundle) => bundle.pem === pem);
      return found && phaseName(kind, found.phase);
    });
  };
  const given = [store.view().trusted('etcd-ca')];
  for (let step = 0; step < 3; step++) {
    await advance(store);
    given.push(store.view().trusted('etcd-ca'));
    if (step === 0) expect(seen()).toEqual(['rest', 'trust']);
    if (step === 1) expect(seen()).toEqual(['rest', 'trust', 'issue']);
  }
  // The end has not come to a host that has still both.
  expect(seen().slice(1)).toEqual(['trust', 'issue', 'rest']);
});

test('an encrypted CA key is followed by an encrypted one, which signs', async () => {
  const folder = join(temporaryFolder(), 'pki');
  const source = () => Promise.resolve({ value: 'correct horse', from: 'the test' });
  const store = await openStore(folder, source);
  const { reconcileStore } = await import('../../src/ca/reconcile.ts');
  await reconcileStore(smallPlan, store, { now: new Date(), encryptAuthorityKeys: true, command: 'test' });
  await advance(store);
  expect(read(store, 'next/etcd-ca/ca.key')).toContain('ENCRYPTED');
  const closed = await openStore(folder);
  await expect(advance(closed)).rejects.toThrow(/encrypted/);
  expect(phase(store)).toBe(0);
  await advance(store);
  expect(read(store, 'etcd-ca/ca.key')).toContain('ENCRYPTED');
  // As hosts would get it.
  expect(store.view().key('etcd-ca')?.sha256).toBe(sha256(await store.readSecret('etcd-ca/ca.key')));
  expect(verifies(read(store, 'etcd-ca/ca.crt'), read(store, 'etcd-ca/etcd-peer@m1.crt'))).toBe(true);
});

test('a client of the next CA is one that nobody else could have made', async () => {
  const store = await filledStore();
  await advance(store);
  const next = await nextAuthority('etcd-ca', diskFiles(store.folder), {
    now: new Date(),
    passphrase: store.passphrase,
  });
  const { cert } = await trialClient(next, [{ type: 'CN', value: 'trial' }], new Date());
  expect(verifies(read(store, 'next/etcd-ca/ca.crt'), cert)).toBe(true);
  expect(verifies(read(store, 'etcd-ca/ca.crt'), cert)).toBe(false);
});

/** A CA of somebody's own making. */
function putNext(store: Store, days: number): void {
  const folder = join(store.folder, 'next/etcd-ca');
  mkdirSync(folder, { recursive: true });
  const argv = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -subj /CN=other -addext keyUsage=keyCertSign,cRLSign -days ${days}`;
  execFileSync('openssl', argv.split(' '), { cwd: folder, stdio: 'pipe' });
}

test('a next CA of a company, for some months, takes over', async () => {
  const store = await filledStore();
  putNext(store, 91);
  await advance(store);
  expect(phaseName(kind, phase(store))).toBe('issue');
});

describe('refused, and nothing is changed', () => {
  const refusal = async (store: Store, from?: number) => {
    const before = contents(store);
    const error = await advance(store, from).then(
      () => undefined,
      (reason) => reason,
    );
    expect(contents(store)).toEqual(before);
    return String(error);
  };

  test('where pki/ is not what cluster.yaml wants', async () => {
    const store = await filledStore();
    rmSync(join(store.folder, 'kubernetes-ca/admin.crt'));
    expect(await refusal(store)).toContain('not what cluster.yaml wants');
  });

  test('where the next CA waits to be signed outside', async () => {
    const store = await filledStore();
    await advance(store);
    rmSync(join(store.folder, 'next/etcd-ca/ca.crt'));
    expect(phase(store)).toBe(atRest);
    expect(await refusal(store)).toContain('waits for its certificate');
  });

  test('where the key of the next CA is not here, or belongs to another', async () => {
    const store = await filledStore();
    await advance(store);
    const key = join(store.folder, 'next/etcd-ca/ca.key');
    writeFileSync(key, read(store, 'etcd-ca/ca.key'));
    expect(await refusal(store)).toContain('is not the key of');
    rmSync(key);
    expect(await refusal(store)).toContain('is not here');
  });

  test('where the next one is no CA', async () => {
    const store = await filledStore();
    await advance(store);
    writeFileSync(join(store.folder, 'next/etcd-ca/ca.crt'), read(store, 'etcd-ca/etcd-peer@m1.crt'));
    writeFileSync(join(store.folder, 'next/etcd-ca/ca.key'), read(store, 'etcd-ca/etcd-peer@m1.key'));
    expect(await refusal(store)).toContain('is not the certificate of a CA');
  });

  test('where a leaf waits for an answer: it would stay with the CA that signed it', async () => {
    const store = await filledStore();
    const request = join(store.folder, 'next/etcd-ca/apiserver-etcd-client.csr');
    await advance(store);
    const wait = () => writeFileSync(request, 'a request');
    wait();
    expect(await refusal(store)).toContain('apiserver-etcd-client waits for an answer');
    rmSync(request);
    await advance(store);
    wait();
    expect(await refusal(store)).toContain('apiserver-etcd-client waits for an answer');
    rmSync(request);
    await advance(store);
    expect(phase(store)).toBe(atRest);
  });

  test('where the next one has the key of the one in use', async () => {
    const store = await filledStore();
    mkdirSync(join(store.folder, 'next/etcd-ca'), { recursive: true });
    for (const file of ['ca.crt', 'ca.key']) {
      cpSync(join(store.folder, 'etcd-ca', file), join(store.folder, 'next/etcd-ca', file));
    }
    expect(phaseName(kind, phase(store))).toBe('trust');
    expect(await refusal(store)).toContain('the next etcd-ca has the key of the one in use');
  });

  test.each([1, 89])('where the next one ends in %i days, and all leaves with it', async (days) => {
    const store = await filledStore();
    putNext(store, days);
    expect(await refusal(store)).toContain('the next etcd-ca ends too soon');
  });

  test('in a copy without keys', async () => {
    const store = await filledStore();
    for (const name of readdirSync(store.folder, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.key')) rmSync(join(store.folder, name));
    }
    expect(await refusal(store)).toContain('no private key in this pki folder');
  });
});

test('everything in pki/ that signs or encrypts can be rotated, in phases with names of their own', () => {
  const ids = [...authorities, ...keyPairs, ...keyRings].map(({ id }) => id);
  expect(rotationKinds.map(({ id }) => id)).toEqual(ids);
  for (const id of ids) expect(rotationOf(id)).toBeTypeOf('function');
  for (const { phases } of rotationKinds) {
    expect(phases.length).toBeGreaterThan(0);
    expect(new Set([...phases.map(({ name }) => name), 'rest']).size).toBe(phases.length + 1);
  }
});
