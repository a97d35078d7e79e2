import { createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keysIn, publicKeys } from '../../src/diff/public-keys.ts';
import { Authority } from '../health/authority.ts';

test('a certificate and its public key are one key, in whatever company', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kbin-public-keys-'));
  const { caFile } = await Authority.create(folder);
  const certificate = await readFile(caFile, 'utf8');
  const half = createPublicKey(certificate).export({ type: 'spki', format: 'pem' }).toString();
  const der = createPublicKey(certificate).export({ type: 'spki', format: 'der' }).toString('hex');
  expect(keysIn(certificate)).toEqual([der]);
  expect(keysIn(`# two\n${half}text\n${certificate}`)).toEqual([der, der]);
  await rm(folder, { recursive: true });
});

test('what is none of both, or not all that there is', () => {
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const file = { kind: 'keys', sha256: '', pem: '', isClosed: false } as const;
  expect(keysIn('nothing')).toEqual([]);
  expect(keysIn(broken)).toBeUndefined();
  expect(publicKeys(file)).toBeUndefined();
  expect(publicKeys({ ...file, isClosed: true })).toBeUndefined();
  expect(publicKeys({ kind: 'absent' })).toBeUndefined();
});
