import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestIn, sha256 } from '../../src/ca/digest.ts';
import { encryptKey } from '../../src/ca/key-encryption.ts';
import { generateKeyPair, isEncrypted } from '../../src/ca/keys.ts';
import { issueOneOff } from '../../src/ca/one-off.ts';
import type { Passphrase } from '../../src/ca/passphrase.ts';
import { changePassphrase } from '../../src/ca/passphrase-change.ts';
import { compareStore, reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { keyAlgorithms } from '../../src/cluster/cluster.ts';
import { KbinError } from '../../src/errors.ts';
import { filledStore, init, smallPlan, temporaryFolder } from './stores.ts';

const authorityKeys = ['etcd-ca/ca.key', 'front-proxy-ca/ca.key', 'kubernetes-ca/ca.key'];

const read = (store: Store, path: string): string => readFileSync(join(store.folder, path), 'utf8');

/** The same folder, opened by somebody who gives this passphrase; `asked` counts how often it was needed. */
async function openedWith(folder: string, value: string): Promise<{ store: Store; asked: () => number }> {
  let asked = 0;
  const given: Passphrase = { value, from: '$KBIN_CA_PASSPHRASE' };
  const store = await openStore(folder, async () => {
    asked++;
    return given;
  });
  return { store, asked: () => asked };
}

const to = (value: string) => async (): Promise<Passphrase> => ({ value, from: 'a file' });

async function encryptedStore(value = 's3cret'): Promise<Store> {
  const store = await filledStore();
  await changePassphrase(store, to(value), {});
  return store;
}

async function refusal(work: Promise<unknown>): Promise<{ what: string; why?: string | undefined }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KbinError)) throw new Error(`not refused: ${String(error)}`);
  return { what: error.message, why: error.details.why };
}

function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.includes('.lock'))
      .map((file) => [file, readFileSync(file, 'utf8')]),
  );
}

describe('an encrypted key', () => {
  test.each(keyAlgorithms)('%s is opened by openssl, and is the key that it was', async (algorithm) => {
    const { pem } = await generateKeyPair(algorithm);
    const passphrase = 'pass phrase, ünïcode € and "quotes"';
    const encrypted = encryptKey(pem, passphrase);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'key'), encrypted);
    writeFileSync(join(folder, 'pass'), passphrase);
    const openssl = execFileSync('openssl', ['pkey', '-in', 'key', '-passin', 'file:pass'], { cwd: folder });
    expect(openssl.toString()).toBe(pem);
    const dump = execFileSync('openssl', ['asn1parse', '-in', 'key'], { cwd: folder }).toString();
    for (const name of ['PBES2', 'scrypt', 'aes-256-cbc']) expect(dump).toContain(name);
    expect(encryptKey(pem, passphrase)).not.toBe(encrypted);
  });

  test.each(['', 'x'.repeat(1025), 'two\nlines', 'zero\0'])('is not made with %j', async (passphrase) => {
    const { pem } = await generateKeyPair('ecdsa-p256');
    expect(() => encryptKey(pem, passphrase)).toThrow(KbinError);
  });
});

describe('changePassphrase', () => {
  test('encrypts the CA keys and no other one, and takes that back byte for byte', async () => {
    const store = await filledStore();
    const before = snapshot(store.folder);
    const changed = await changePassphrase(store, to('s3cret'), {});
    expect(changed).toEqual(authorityKeys.map((file) => ({ file, was: 'plain', form: 'kept' })));
    for (const path of authorityKeys) {
      expect(isEncrypted(read(store, path))).toBe(true);
      expect(statSync(join(store.folder, path)).mode & 0o777).toBe(0o600);
    }
    const after = snapshot(store.folder);
    const differ = Object.keys(after).filter((file) => after[file] !== before[file]);
    expect(differ.sort()).toEqual(authorityKeys.map((path) => join(store.folder, path)));
    const opened = await openedWith(store.folder, 's3cret');
    await changePassphrase(opened.store, undefined, {});
    expect(snapshot(store.folder)).toEqual(before);
    expect(await changePassphrase(opened.store, undefined, {})).toEqual([]);
  });

  test('takes those of a rotation and the retired ones along', async () => {
    const store = await filledStore();
    const others = ['next/etcd-ca/ca.key', 'archive/etcd-ca/ca-20270131-ab12cd34.key'];
    for (const path of others) {
      mkdirSync(join(store.folder, path, '..'), { recursive: true });
      writeFileSync(join(store.folder, path), (await generateKeyPair('ecdsa-p256')).pem);
    }
    const changed = await changePassphrase(store, to('one'), {});
    expect(changed.map(({ file }) => file)).toEqual([...authorityKeys, ...others].sort());
    const { store: opened } = await openedWith(store.folder, 'one');
    await changePassphrase(opened, to('two'), {});
    for (const path of [...authorityKeys, ...others]) {
      expect(() => createPrivateKey({ key: read(store, path), passphrase: 'two' })).not.toThrow();
    }
  });

  test('with a wrong passphrase, or with one key that another one opens, changes nothing', async () => {
    const store = await encryptedStore();
    const before = snapshot(store.folder);
    const { store: wrong } = await openedWith(store.folder, 'wrong');
    const key = join(store.folder, 'etcd-ca/ca.key');
    expect(await refusal(changePassphrase(wrong, to('new'), {}))).toEqual({
      what: `the passphrase from $KBIN_CA_PASSPHRASE does not open ${key}`,
      why: 'it is not the passphrase of this key, or the file is damaged; nothing was changed',
    });
    expect(await refusal(changePassphrase(store, to('new'), {}))).toMatchObject({
      what: 'a CA key is encrypted, and there is nobody to ask for its passphrase',
    });
    expect(snapshot(store.folder)).toEqual(before);
    const stranger = (await generateKeyPair('ecdsa-p256')).pem;
    writeFileSync(join(store.folder, 'kubernetes-ca/ca.key'), encryptKey(stranger, 'other'));
    const mixed = snapshot(store.folder);
    const { store: right } = await openedWith(store.folder, 's3cret');
    expect((await refusal(changePassphrase(right, to('new'), {}))).what).toContain('kubernetes-ca/ca.key');
    expect(snapshot(store.folder)).toEqual(mixed);
  });

  test('says of a key in an older format that hosts get other bytes of it', async () => {
    const store = await filledStore();
    const file = join(store.folder, 'kubernetes-ca/ca.key');
    const sec1 = createPrivateKey(readFileSync(file)).export({ type: 'sec1', format: 'pem' }) as string;
    writeFileSync(file, sec1);
    await init(store);
    expect(store.view().key('kubernetes-ca')?.sha256).toBe(sha256(sec1));
    const changed = await changePassphrase(store, to('s3cret'), {});
    expect(changed.find(({ form }) => form === 'changed')?.file).toBe('kubernetes-ca/ca.key');
    const { store: opened } = await openedWith(store.folder, 's3cret');
    const bytes = await opened.readSecret('kubernetes-ca/ca.key');
    expect(store.view().key('kubernetes-ca')?.sha256).toBe(sha256(bytes));
  });

  test('where no CA key is', async () => {
    const store = await filledStore();
    for (const path of authorityKeys) rmSync(join(store.folder, path));
    expect((await refusal(changePassphrase(store, to('x'), {}))).what).toBe('there is no CA key here');
  });
});

describe('a store with encrypted CA keys', () => {
  test('tells the digest of the key as hosts get it, and opens it for them', async () => {
    const store = await filledStore();
    const plain = await store.readSecret('kubernetes-ca/ca.key');
    await changePassphrase(store, to('s3cret'), {});
    expect(store.view().key('kubernetes-ca')?.sha256).toBe(sha256(plain));
    const { store: opened, asked } = await openedWith(store.folder, 's3cret');
    expect(asked()).toBe(0);
    expect(Buffer.from(await opened.readSecret('kubernetes-ca/ca.key'))).toEqual(plain);
    const { store: wrong } = await openedWith(store.folder, 'wrong');
    expect((await refusal(wrong.readSecret('kubernetes-ca/ca.key'))).what).toContain('does not open');
    expect((await refusal(store.readSecret('kubernetes-ca/ca.key'))).what).toContain('nobody to ask');
  });

  test('asks for the passphrase when something is to be signed, and not before', async () => {
    const { folder } = await encryptedStore();
    const { store, asked } = await openedWith(folder, 's3cret');
    expect((await init(store)).applied).toEqual([]);
    expect((await compareStore(smallPlan, folder, { now: new Date() })).diff.problems).toEqual([]);
    rmSync(join(folder, 'etcd-ca/etcd-peer@m1.key'));
    const { diff } = await compareStore(smallPlan, folder, { now: new Date() });
    expect(diff).toMatchObject({ problems: [], changes: [{ id: 'etcd-peer@m1' }] });
    expect(asked()).toBe(0);
    const before = snapshot(folder);
    const { store: wrong } = await openedWith(folder, 'wrong');
    expect((await refusal(init(wrong))).what).toBe(
      `the passphrase from $KBIN_CA_PASSPHRASE does not open ${join(folder, 'etcd-ca/ca.key')}`,
    );
    expect((await refusal(init(await openStore(folder)))).what).toContain('nobody to ask');
    expect(snapshot(folder)).toEqual(before);
    expect((await init(store)).applied.map(({ id }) => id)).toEqual(['etcd-peer@m1']);
    expect(asked()).toBe(1);
  });

  test('with a lost digest file gets it back, of the key as hosts get it', async () => {
    const { folder } = await encryptedStore();
    const line = readFileSync(join(folder, 'kubernetes-ca/ca.key.sha256'), 'utf8');
    rmSync(join(folder, 'kubernetes-ca/ca.key.sha256'));
    const { store } = await openedWith(folder, 's3cret');
    expect((await init(store)).applied).toMatchObject([{ id: 'kubernetes-ca', action: 'repair' }]);
    expect(read(store, 'kubernetes-ca/ca.key.sha256')).toBe(line);
    expect(digestIn(line)).toBe(sha256(await store.readSecret('kubernetes-ca/ca.key')));
    expect(isEncrypted(read(store, 'kubernetes-ca/ca.key'))).toBe(true);
  });

  test('closes a key file that is open to others without opening the key', async () => {
    const { folder } = await encryptedStore();
    const { store, asked } = await openedWith(folder, 's3cret');
    chmodSync(join(folder, 'etcd-ca/ca.key'), 0o644);
    const key = read(store, 'etcd-ca/ca.key');
    expect((await init(store)).applied).toMatchObject([{ id: 'etcd-ca', action: 'repair' }]);
    expect([statSync(join(folder, 'etcd-ca/ca.key')).mode & 0o777, read(store, 'etcd-ca/ca.key')]).toEqual([
      0o600,
      key,
    ]);
    expect(asked()).toBe(0);
  });

  test('signs a kubeconfig, and not with a wrong passphrase', async () => {
    const { folder } = await encryptedStore();
    const request = {
      subject: [{ type: 'CN', value: 'jane' }],
      usages: ['client auth'],
      validityHours: 8,
      key: 'ecdsa-p256',
      now: new Date(),
    } as const;
    const { store } = await openedWith(folder, 's3cret');
    await expect(issueOneOff(store, 'kubernetes-ca', request)).resolves.toMatchObject({ clamped: false });
    const { store: wrong } = await openedWith(folder, 'wrong');
    expect((await refusal(issueOneOff(wrong, 'kubernetes-ca', request))).what).toContain('does not open');
  });

  test('makes a CA that is still missing with the same passphrase', async () => {
    const { folder } = await encryptedStore();
    rmSync(join(folder, 'front-proxy-ca'), { recursive: true });
    const before = snapshot(folder);
    const { store: wrong } = await openedWith(folder, 'wrong');
    expect((await refusal(init(wrong))).what).toContain('does not open');
    expect(snapshot(folder)).toEqual(before);
    const { store } = await openedWith(folder, 's3cret');
    await init(store);
    expect(isEncrypted(read(store, 'front-proxy-ca/ca.key'))).toBe(true);
    expect(isEncrypted(read(store, 'front-proxy-ca/front-proxy-client.key'))).toBe(false);
  });
});

test('CA keys are encrypted from the start on request, and never lie there in the clear', async () => {
  const { store } = await openedWith(join(temporaryFolder(), 'pki'), 's3cret');
  await reconcileStore(smallPlan, store, { now: new Date(), encryptAuthorityKeys: true });
  for (const path of authorityKeys) {
    const plain = createPrivateKey({ key: read(store, path), passphrase: 's3cret' });
    expect(isEncrypted(read(store, path))).toBe(true);
    expect(digestIn(read(store, `${path}.sha256`))).toBe(
      sha256(plain.export({ type: 'pkcs8', format: 'pem' }) as string),
    );
  }
  expect((await init(store)).applied).toEqual([]);
});
