import { createPublicKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  keyIdOf,
  recordSignedUntil,
  serviceAccountRotation,
  sign,
  signedUntil,
  verify,
} from '../../src/ca/rotate-service-account.ts';
import { atRest } from '../../src/ca/rotation.ts';
import { keysOfPhases } from '../../src/ca/service-account-phases.ts';
import type { Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { filledStore, init, smallPlan } from './stores.ts';

const now = new Date('2026-11-21T08:00:00Z');
const command = 'kbin pki rotate service-account';
const phase = (store: Store) => serviceAccountRotation.phase(diskFiles(store.folder));
const advance = (store: Store, from = phase(store)) =>
  serviceAccountRotation.advance({ plan: smallPlan, store, now, from, command });
const at = (store: Store, path: string) => join(store.folder, path);
const read = (store: Store, path: string) => readFileSync(at(store, path), 'utf8');
const verifying = (store: Store) =>
  store
    .view()
    .serviceAccountKeys()
    .map(({ ref }) => ref);

/** Files of the three folders and what is in them, without the store's first pair. */
const all = (store: Store) =>
  ['service-account', 'next/service-account', 'previous/service-account', 'archive/service-account'].flatMap(
    (folder) =>
      existsSync(at(store, folder)) ? readdirSync(at(store, folder)).map((name) => `${folder}/${name}`) : [],
  );

describe('a rotation of the service-account key', () => {
  test('goes from rest to rest, and what verifies and signs is right in each phase', async () => {
    const store = await filledStore();
    const [oldKey, oldPublic] = [
      read(store, 'service-account/sa.key'),
      read(store, 'service-account/sa.pub'),
    ];
    expect(phase(store)).toBe(atRest);

    await advance(store);
    expect(phase(store)).toBe(verify);
    expect(read(store, 'service-account/sa.key')).toBe(oldKey);
    expect(verifying(store)).toEqual(['service-account/sa.pub', 'next/service-account/sa.pub']);
    const newKey = read(store, 'next/service-account/sa.key');
    const newPublic = read(store, 'next/service-account/sa.pub');
    expect(newKey).not.toBe(oldKey);
    expect(statSync(at(store, 'next/service-account/sa.key')).mode & 0o777).toBe(0o600);
    expect(createPublicKey(newKey).export({ type: 'spki', format: 'pem' })).toBe(newPublic);

    await advance(store);
    expect(phase(store)).toBe(sign);
    expect(read(store, 'service-account/sa.key')).toBe(newKey);
    expect(read(store, 'service-account/sa.pub')).toBe(newPublic);
    expect(read(store, 'previous/service-account/sa.pub')).toBe(oldPublic);
    expect(verifying(store)).toEqual(['service-account/sa.pub', 'previous/service-account/sa.pub']);
    const archived = readdirSync(at(store, 'archive/service-account')).sort();
    expect(archived.map((name) => name.replace(/-[0-9a-f]{8}\./, '-PIECE.'))).toEqual([
      'sa-20261121-PIECE.key',
      'sa-20261121-PIECE.key.sha256',
      'sa-20261121-PIECE.pub',
    ]);
    const [archivedKey = ''] = archived;
    expect(read(store, `archive/service-account/${archivedKey}`)).toBe(oldKey);
    expect(statSync(at(store, `archive/service-account/${archivedKey}`)).mode & 0o777).toBe(0o600);
    expect(readdirSync(at(store, 'previous/service-account'))).toEqual(['sa.pub']);

    await advance(store);
    expect(phase(store)).toBe(atRest);
    expect(verifying(store)).toEqual(['service-account/sa.pub']);
    expect(all(store)).toEqual([
      ...['sa.key', 'sa.key.sha256', 'sa.pub'].map((name) => `service-account/${name}`),
      ...archived.map((name) => `archive/service-account/${name}`),
    ]);
    // Nothing is left for `pki init` to mend.
    expect((await init(store)).applied).toEqual([]);
  });

  test('done twice, each key has its own name in the archive', async () => {
    const store = await filledStore();
    for (let step = 0; step < 6; step++) await advance(store);
    expect(phase(store)).toBe(atRest);
    expect(readdirSync(at(store, 'archive/service-account'))).toHaveLength(6);
  });

  test('does nothing where another run has gone on already', async () => {
    const store = await filledStore();
    await advance(store);
    const files = all(store);
    const next = read(store, 'next/service-account/sa.key');
    await advance(store, atRest);
    await advance(store, sign);
    expect(all(store)).toEqual(files);
    expect(read(store, 'next/service-account/sa.key')).toBe(next);
  });

  test('is not begun, nor carried on, without the private keys', async () => {
    const store = await filledStore();
    rmSync(at(store, 'service-account/sa.key'));
    await expect(advance(store)).rejects.toMatchObject({
      message: expect.stringContaining('service-account/sa.key is missing'),
      details: { next: expect.stringContaining('where the keys are kept') },
    });
    expect(phase(store)).toBe(atRest);
    const whole = await filledStore();
    await advance(whole);
    rmSync(at(whole, 'next/service-account/sa.key'));
    await expect(advance(whole)).rejects.toThrow('next/service-account/sa.key is missing');
    expect(phase(whole)).toBe(verify);
  });
});

describe('since when the old key signs nothing', () => {
  const until = (store: Store) => signedUntil(diskFiles(store.folder));
  const later = new Date('2026-12-01T00:00:00Z');

  test('is noted once, in that phase only, and forgotten with it', async () => {
    const store = await filledStore();
    await advance(store);
    await recordSignedUntil(store, now, command);
    expect(until(store)).toBeUndefined();
    await advance(store);
    await recordSignedUntil(store, now, command);
    await recordSignedUntil(store, later, command);
    expect(until(store)).toEqual(now);
    await advance(store);
    expect(until(store)).toBeUndefined();
  });
});

test('the public keys that a host has tell its phase', async () => {
  const store = await filledStore();
  const phasesOf = () => keysOfPhases(diskFiles(store.folder));
  const inForce = () =>
    store
      .view()
      .serviceAccountKeys()
      .map(({ pem }) => pem)
      .join('');
  const pems = [inForce()];
  const seen = () => pems.map((pem) => phasesOf().find((one) => one.pem === pem)?.phase);
  expect(seen()).toEqual([atRest]);
  for (const expected of [
    [atRest, verify],
    [atRest, verify, sign],
    [atRest, verify, sign, atRest],
  ]) {
    await advance(store);
    pems.push(inForce());
    expect(seen()).toEqual(expected);
  }
  expect(phasesOf().some(({ pem }) => pem === 'another')).toBe(false);
  expect(serviceAccountRotation.since?.(diskFiles(store.folder))).toEqual(new Date('2026-11-21'));
});

test('a key is named in tokens as Kubernetes names it', () => {
  // openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | basenc --base64url
  const pem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMDGdxChGp3WKiyjrAko6w4XIPGc3
aLLqglWdVArZLvaJsy9K1Q9j0r9mgHZvc71jrMhXvb0XrEAFvUTzGqOQag==
-----END PUBLIC KEY-----
`;
  expect(keyIdOf(pem)).toBe('EnBUFYOhJ71hu1n0lNRd6qJD3huK2CXLecQ_bQpfE3Q');
});
