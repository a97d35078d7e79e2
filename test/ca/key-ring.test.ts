import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestLine } from '../../src/ca/digest.ts';
import { firstKey, keyRingPaths } from '../../src/ca/key-ring.ts';
import { compareStore } from '../../src/ca/reconcile.ts';
import type { Store } from '../../src/ca/store.ts';
import { filledStore, init, smallCount, smallPlan } from './stores.ts';

const ring = 'encryption-key';
const at = (store: Store, name: string): string => join(store.folder, ring, name);
const read = (store: Store, name: string): string => readFileSync(at(store, name), 'utf8');
const record = (store: Store): string => join(store.folder, 'encryption-key-made');
const made = async (store: Store): Promise<string[]> =>
  (await init(store)).applied.map(({ id, action, reasons }) =>
    [id, action, ...reasons.map(({ message }) => message)].join('; '),
  );

/** What stops init; shows that it touched nothing. */
async function problemsOf(store: Store): Promise<(readonly [string, string])[]> {
  const before = ['key1.key', 'key1.key.sha256', 'order'].map(
    (name) => existsSync(at(store, name)) && read(store, name),
  );
  await expect(init(store)).rejects.toThrow();
  const after = ['key1.key', 'key1.key.sha256', 'order'].map(
    (name) => existsSync(at(store, name)) && read(store, name),
  );
  expect(after).toEqual(before);
  const { diff } = await compareStore(smallPlan, store.folder, { now: new Date() });
  return diff.problems.map(({ code, message }) => [code, message.replace(store.folder, 'pki')] as const);
}

/** As a rotation does: `order` and the keys it names. */
function addKey(store: Store, name: string, order: readonly string[]): void {
  const text = `${Buffer.alloc(32, name).toString('base64')}\n`;
  writeFileSync(at(store, `${name}.key`), text, { mode: 0o600 });
  writeFileSync(at(store, `${name}.key.sha256`), digestLine(text, `${name}.key`));
  writeFileSync(at(store, 'order'), `${order.join('\n')}\n`);
}

describe('the encryption key', () => {
  test('is 32 random bytes as one line of base64, closed to others, with its digest and the order', async () => {
    const [one, other] = [await filledStore(), await filledStore()];
    expect(read(one, 'key1.key')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(Buffer.from(read(one, 'key1.key'), 'base64')).toHaveLength(32);
    expect(read(one, 'key1.key')).not.toBe(read(other, 'key1.key'));
    expect(statSync(at(one, 'key1.key')).mode & 0o777).toBe(0o600);
    expect(read(one, 'order')).toBe('key1\n');
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'key1.key.sha256'], { cwd: at(one, '.') });
  });

  test('is kept byte for byte, and simply made in a store of before', async () => {
    const store = await filledStore();
    const key = read(store, 'key1.key');
    expect(await init(store)).toEqual({ applied: [], kept: smallCount, notes: [] });
    expect(read(store, 'key1.key')).toBe(key);
    rmSync(at(store, '.'), { recursive: true });
    rmSync(record(store));
    expect(store.view().encryptionKeys()).toEqual([]);
    expect(store.view().key(ring)).toBeUndefined();
    expect(await made(store)).toEqual(['encryption-key; create; not made yet']);
  });

  test('is not made anew where its whole folder was lost', async () => {
    const store = await filledStore();
    rmSync(at(store, '.'), { recursive: true });
    expect(await problemsOf(store)).toEqual([['encryption-key-lost', 'pki/encryption-key is gone']]);
    rmSync(record(store));
    expect(await made(store)).toEqual(['encryption-key; create; not made yet']);
    rmSync(record(store));
    expect(await made(store)).toEqual(['encryption-key; repair; the note that it was made is missing']);
    expect(await made(store)).toEqual([]);
  });

  test('what follows from a key that stays is mended: its digest, its mode, the order', async () => {
    const store = await filledStore();
    const key = read(store, 'key1.key').trimEnd();
    // Written by hand, without a final newline: that is no reason to touch it.
    writeFileSync(at(store, 'key1.key'), key);
    chmodSync(at(store, 'key1.key'), 0o640);
    rmSync(at(store, 'key1.key.sha256'));
    rmSync(at(store, 'order'));
    expect(await made(store)).toEqual([
      'encryption-key; repair; the file that says which key encrypts is missing; the digest file of key1 is missing; key1 is open to other users (mode 0640)',
    ]);
    expect(read(store, 'key1.key')).toBe(key);
    expect(read(store, 'order')).toBe('key1\n');
    expect(await made(store)).toEqual([]);
  });

  test.each([
    [['key1.key'], 'encryption-key-lost', 'pki/encryption-key/key1.key is missing'],
    [['key1.key', 'key1.key.sha256'], 'encryption-key-lost', 'pki/encryption-key/key1.key is missing'],
    [['key1.key', 'order'], 'encryption-key-lost', 'pki/encryption-key/key1.key is missing'],
  ])('without %s it is lost, and never made a second time', async (gone, code, message) => {
    const store = await filledStore();
    for (const name of gone) rmSync(at(store, name));
    expect(await problemsOf(store)).toEqual([[code, message]]);
  });

  test.each([
    '',
    'nonsense\n',
    `${'A'.repeat(43)}=\n${'A'.repeat(43)}=\n`,
    Buffer.alloc(16).toString('base64'),
    '\0',
  ])('that reads %j is malformed', async (text) => {
    const store = await filledStore();
    writeFileSync(at(store, 'key1.key'), text);
    expect(await problemsOf(store)).toEqual([
      ['key-malformed', 'pki/encryption-key/key1.key cannot be read'],
    ]);
  });

  test('that is another one than its digest says stops everything, and is not quoted', async () => {
    const store = await filledStore();
    const text = `${Buffer.alloc(32, 7).toString('base64')}\n`;
    writeFileSync(at(store, 'key1.key'), text);
    expect(await problemsOf(store)).toEqual([
      ['encryption-key-changed', 'pki/encryption-key/key1.key is not the key it was'],
    ]);
    const error = await init(store).catch((reason: unknown) => reason);
    expect(JSON.stringify(error)).not.toContain(text.trim());
  });

  test.each([['', 'key1\nkey1\n', '../etcd-ca/ca\n', 'key0\n', ' key1\n']].flat())(
    'with an order that reads %j stops everything',
    async (text) => {
      const store = await filledStore();
      writeFileSync(at(store, 'order'), text);
      expect(await problemsOf(store)).toEqual([['key-order', 'pki/encryption-key/order cannot be read']]);
      expect(store.view().encryptionKeys()).toEqual([]);
    },
  );
});

describe('several keys, as a rotation leaves them', () => {
  test('come in the order of the file, which alone decides; a retired one stays and is not used', async () => {
    const store = await filledStore();
    const names = (): string[] =>
      store
        .view()
        .encryptionKeys()
        .map(({ name }) => name);
    addKey(store, 'key2', ['key1', 'key2']);
    expect(names()).toEqual(['key1', 'key2']);
    addKey(store, 'key2', ['key2', 'key1']);
    expect(names()).toEqual(['key2', 'key1']);
    expect(store.view().key(ring)?.ref).toBe('encryption-key/key2.key');
    addKey(store, 'key10', ['key10', 'key2']);
    expect(names()).toEqual(['key10', 'key2']);
    expect(await made(store)).toEqual([]);
    expect(existsSync(at(store, 'key1.key'))).toBe(true);
    rmSync(at(store, 'key1.key'));
    expect(await made(store)).toEqual([]);
  });

  test('without the order nobody can tell which one encrypts', async () => {
    const store = await filledStore();
    addKey(store, 'key2', ['key1', 'key2']);
    rmSync(at(store, 'order'));
    expect(await problemsOf(store)).toEqual([['key-order', 'pki/encryption-key/order is missing']]);
    expect(store.view().encryptionKeys()).toEqual([]);
  });

  test('one of them lost: none is told, for what it encrypted would be unreadable', async () => {
    const store = await filledStore();
    addKey(store, 'key2', ['key2', 'key1']);
    rmSync(at(store, 'key1.key'));
    expect(store.view().encryptionKeys()).toHaveLength(2);
    rmSync(at(store, 'key1.key.sha256'));
    expect(store.view().encryptionKeys()).toEqual([]);
    expect(await problemsOf(store)).toEqual([
      ['encryption-key-lost', 'pki/encryption-key/key1.key is missing'],
    ]);
  });
});

describe('a view', () => {
  test('refers to the key, and tells its digest also where the key is not', async () => {
    const store = await filledStore();
    const ref = keyRingPaths.key(ring, firstKey);
    const [here] = store.view().encryptionKeys();
    expect(here).toMatchObject({ name: 'key1', ref: 'encryption-key/key1.key' });
    expect(Buffer.from(await store.readSecret(ref)).toString('utf8')).toBe(read(store, 'key1.key'));
    expect(store.view().key(ring)).toEqual({ ref, sha256: here?.sha256 });
    rmSync(at(store, 'key1.key'));
    expect(store.view().encryptionKeys()).toEqual([here]);
    await expect(store.readSecret(ref)).rejects.toThrow('is not here');
  });

  test('a folder in the place of a key is an error, not a key', async () => {
    const store = await filledStore();
    rmSync(at(store, 'key1.key'));
    mkdirSync(at(store, 'key1.key'));
    expect(() => store.view()).toThrow('cannot read');
  });
});
