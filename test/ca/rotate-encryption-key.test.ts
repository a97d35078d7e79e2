import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { phaseOfKeys } from '../../src/ca/encryption-phases.ts';
import {
  encryptionKeyRotation,
  read,
  recordRewritten,
  retiringKeys,
  rewrite,
  wasRewritten,
  write,
} from '../../src/ca/rotate-encryption-key.ts';
import { atRest } from '../../src/ca/rotation.ts';
import type { Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { filledStore, init, smallPlan } from './stores.ts';

const now = new Date('2026-11-21T08:00:00Z');
const command = 'kbin pki rotate encryption-key';
const phase = (store: Store) => encryptionKeyRotation.phase(diskFiles(store.folder));
const advance = (store: Store, from = phase(store)) =>
  encryptionKeyRotation.advance({ plan: smallPlan, store, now, from, command });
const at = (store: Store, path: string) => join(store.folder, path);
const text = (store: Store, path: string) => readFileSync(at(store, path), 'utf8');
const names = (store: Store) =>
  store
    .view()
    .encryptionKeys()
    .map(({ name }) => name);
const retired = (store: Store) =>
  store
    .view()
    .retiredEncryptionKeys()
    .map(({ name }) => name);
const retiring = (store: Store) => retiringKeys(diskFiles(store.folder));

describe('a rotation of the encryption key', () => {
  test('goes from rest to rest, and the first key of each phase is the one that encrypts', async () => {
    const store = await filledStore();
    const [old] = store.view().encryptionKeys();
    const oldText = text(store, 'encryption-key/key1.key');
    expect(phase(store)).toBe(atRest);
    expect(retiring(store)).toBeUndefined();

    await advance(store);
    expect([phase(store), names(store)]).toEqual([read, ['key1', 'key2']]);
    expect(statSync(at(store, 'encryption-key/key2.key')).mode & 0o777).toBe(0o600);
    expect(text(store, 'encryption-key/key2.key')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect((await init(store)).applied).toEqual([]);

    await advance(store);
    expect([phase(store), names(store)]).toEqual([write, ['key2', 'key1']]);
    await advance(store);
    expect([phase(store), names(store)]).toEqual([rewrite, ['key2', 'key1']]);
    expect(retiring(store)).toEqual({ newest: 'key2', others: ['key1'] });
    expect(retired(store)).toEqual([]);
    expect(encryptionKeyRotation.since?.(diskFiles(store.folder))).toBeUndefined();

    await advance(store);
    expect([phase(store), names(store), retired(store)]).toEqual([atRest, ['key2'], ['key1']]);
    expect(store.view().retiredEncryptionKeys()).toEqual([{ name: 'key1', sha256: old?.sha256 }]);
    expect(text(store, 'archive/encryption-key/key1.key')).toBe(oldText);
    expect(statSync(at(store, 'archive/encryption-key/key1.key')).mode & 0o777).toBe(0o600);
    expect(encryptionKeyRotation.since?.(diskFiles(store.folder))).toEqual(now);
    expect(readdirSync(at(store, 'encryption-key')).sort()).toEqual(['key2.key', 'key2.key.sha256', 'order']);
    expect((await init(store)).applied).toEqual([]);
  });

  test('never gives a name twice: the archive counts', async () => {
    const store = await filledStore();
    for (let step = 0; step < 8; step++) await advance(store);
    expect([names(store), retired(store)]).toEqual([['key3'], ['key1', 'key2']]);
    // Only the digest is left of the last one that was retired.
    rmSync(at(store, 'archive/encryption-key/key2.key'));
    expect(retired(store)).toEqual(['key1', 'key2']);
    await advance(store);
    expect(names(store)).toEqual(['key3', 'key4']);
  });

  test('a key that is put back out of the archive is known at once, and retired as before', async () => {
    const store = await filledStore();
    for (let step = 0; step < 4; step++) await advance(store);
    for (const name of ['key1.key', 'key1.key.sha256']) {
      copyFileSync(at(store, `archive/encryption-key/${name}`), at(store, `encryption-key/${name}`));
    }
    writeFileSync(at(store, 'encryption-key/order'), 'key2\nkey1\n');
    expect([phase(store), names(store)]).toEqual([write, ['key2', 'key1']]);
    expect((await init(store)).applied).toEqual([]);
    await advance(store);
    await advance(store);
    expect([phase(store), names(store), retired(store)]).toEqual([atRest, ['key2'], ['key1']]);
  });

  test('never writes over another key in the archive', async () => {
    const store = await filledStore();
    for (let step = 0; step < 3; step++) await advance(store);
    const another = `${Buffer.alloc(32, 9).toString('base64')}\n`;
    const archived = at(store, 'archive/encryption-key/key1.key');
    await store.withLock(async (transaction) =>
      transaction.stage({ path: 'archive/encryption-key/key1.key', content: another, mode: 0o600 }),
    );
    const error = await advance(store).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: `${archived} is there already, and is another key` });
    expect(JSON.stringify(error)).not.toContain(another.trim());
    expect([phase(store), readFileSync(archived, 'utf8')]).toEqual([rewrite, another]);
  });

  test('does nothing where another run has gone on already', async () => {
    const store = await filledStore();
    await advance(store);
    await advance(store, atRest);
    await advance(store, write);
    expect([phase(store), names(store)]).toEqual([read, ['key1', 'key2']]);
  });

  test('is not carried on without a key, which is not quoted', async () => {
    const store = await filledStore();
    await advance(store);
    rmSync(at(store, 'encryption-key/key1.key'));
    await expect(advance(store)).rejects.toMatchObject({
      message: expect.stringContaining('encryption-key/key1.key is missing'),
      details: { next: 'rotate where the keys are kept' },
    });
    expect(names(store)).toEqual(['key1', 'key2']);
    rmSync(at(store, 'encryption-key'), { recursive: true });
    await expect(advance(store)).rejects.toThrow('has no keys in an order that can be read');
    expect(existsSync(at(store, 'encryption-key'))).toBe(false);
  });
});

describe('the keys that an apiserver has tell its phase', () => {
  const phaseOf = (store: Store, ...keys: string[]) => phaseOfKeys(keys, diskFiles(store.folder));

  test('while a rotation is under way', async () => {
    const store = await filledStore();
    expect(phaseOf(store, 'key1')).toBe(atRest);
    await advance(store);
    expect([phaseOf(store, 'key1'), phaseOf(store, 'key1', 'key2')]).toEqual([atRest, read]);
    await advance(store);
    expect([phaseOf(store, 'key1', 'key2'), phaseOf(store, 'key2', 'key1')]).toEqual([read, write]);
    await advance(store);
    expect(phaseOf(store, 'key2', 'key1')).toBe(rewrite);
  });

  test('after its end: one that was not told yet', async () => {
    const store = await filledStore();
    for (let step = 0; step < 4; step++) await advance(store);
    expect([phaseOf(store, 'key2', 'key1'), phaseOf(store, 'key2')]).toEqual([write, atRest]);
  });

  test('and nothing where they are none of this store, or none at all', async () => {
    const store = await filledStore();
    expect([phaseOf(store), phaseOf(store, 'key7'), phaseOf(store, 'key1', 'key7')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

test('a note that all was rewritten is made once, and only in its phase', async () => {
  const store = await filledStore();
  const was = () => wasRewritten(diskFiles(store.folder));
  for (let step = 0; step < 2; step++) await advance(store);
  await recordRewritten(store, now, command);
  expect([existsSync(at(store, 'encryption-key/rewriting')), was()]).toEqual([false, false]);
  await advance(store);
  expect(was()).toBe(false);
  await recordRewritten(store, now, command);
  await recordRewritten(store, new Date('2027-01-01T00:00:00Z'), command);
  expect([text(store, 'encryption-key/rewriting'), was()]).toEqual([
    'begun 2026-11-21T08:00:00.000Z\nended 2026-11-21T08:00:00.000Z\n',
    true,
  ]);
  expect(phase(store)).toBe(rewrite);
});
