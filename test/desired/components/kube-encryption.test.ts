import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  encryptionFingerprints,
  encryptionNote,
  encryptionParts,
} from '../../../src/desired/components/kube-encryption.ts';
import { exampleCluster } from '../../cluster/fixture.ts';
import { fullStore, keyDigest } from '../store.ts';

const twoKeys = fullStore({
  encryptionKeys: () =>
    ['key2', 'key1'].map((name) => ({ name, ref: `encryption-key/${name}.key`, sha256: keyDigest(name) })),
});

/** The configuration as the apiserver reads it, with references where the secrets will be. */
function configuration(...[cluster, store]: Parameters<typeof encryptionParts>): unknown {
  const parts = encryptionParts(cluster, store);
  return parse(parts.map((part) => (typeof part === 'string' ? part : part.ref)).join(''));
}

const keys = (names: string[]) => ({
  keys: names.map((name) => ({ name, secret: `encryption-key/${name}.key` })),
});

test('the chosen provider writes, every other one reads, and plain text last', () => {
  const cluster = exampleCluster({
    kubernetes: { encryption: { provider: 'aescbc', resources: ['secrets', 'things.example.org'] } },
  });
  expect(configuration(cluster, twoKeys)).toEqual({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets', 'things.example.org'],
        providers: [
          { aescbc: keys(['key2', 'key1']) },
          { secretbox: keys(['key2', 'key1']) },
          { aesgcm: keys(['key2', 'key1']) },
          { identity: {} },
        ],
      },
    ],
  });
});

test('without encryption plain text is written, and what was encrypted can be read', () => {
  const cluster = exampleCluster({ kubernetes: { encryption: undefined } });
  expect(configuration(cluster, fullStore())).toMatchObject({
    resources: [
      {
        resources: ['secrets'],
        providers: [
          { identity: {} },
          { secretbox: keys(['key1']) },
          { aesgcm: keys(['key1']) },
          { aescbc: keys(['key1']) },
        ],
      },
    ],
  });
});

test('keys come from the store alone, and appear nowhere but by reference', () => {
  const secrets = encryptionParts(exampleCluster(), twoKeys).filter((part) => typeof part !== 'string');
  expect(secrets[0]).toEqual({ ref: 'encryption-key/key2.key', sha256: keyDigest('key2'), as: 'line' });
  expect(secrets).toHaveLength(6);
});

test('fingerprints are in the order of the configuration', () => {
  expect(encryptionFingerprints(exampleCluster(), twoKeys)).toEqual([
    ...['secretbox', 'aesgcm', 'aescbc'].flatMap((provider) =>
      ['key2', 'key1'].map((key) => `${provider}:${key}:${keyDigest(key)}`),
    ),
    'identity',
  ]);
  expect(encryptionNote(exampleCluster(), twoKeys)).toMatch(
    /^resources: secrets\nsecretbox:key2:[0-9a-f]{64}\n/,
  );
  expect(encryptionFingerprints(exampleCluster(), fullStore({ encryptionKeys: () => [] }))).toEqual([]);
});

test('retired keys are named in the note, and nowhere else', () => {
  const store = fullStore({
    retiredEncryptionKeys: () => [
      { name: 'key0', sha256: keyDigest('key0') },
      { name: 'other', sha256: keyDigest('other') },
    ],
  });
  expect(encryptionNote(exampleCluster(), store)).toMatch(
    new RegExp(`\\nidentity\\nretired: key0:${keyDigest('key0')},other:${keyDigest('other')}\\n$`),
  );
  const parts = encryptionParts(exampleCluster(), store);
  expect(parts).toEqual(encryptionParts(exampleCluster(), fullStore()));
  expect(encryptionNote(exampleCluster(), fullStore())).not.toContain('retired');
});
