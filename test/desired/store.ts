import type { StoreView } from '../../src/desired/store-view.ts';

/** A store that has everything. Contents are recognisable; nothing of a key but its digest is anywhere in it. */
export function fullStore(changes: Partial<StoreView> = {}): StoreView {
  return {
    certificate: (id) => ({
      ref: `somewhere/${id}.crt`,
      pem: `-----BEGIN CERTIFICATE-----\n${id}\n-----END CERTIFICATE-----\n`,
    }),
    trusted: (id) => `-----BEGIN CERTIFICATE-----\n${id}\n-----END CERTIFICATE-----\n`,
    key: (id) => ({ ref: `somewhere/${id}.key`, sha256: keyDigest(id) }),
    serviceAccountKeys: () => [
      {
        ref: 'service-account/sa.pub',
        pem: '-----BEGIN PUBLIC KEY-----\nservice-account\n-----END PUBLIC KEY-----\n',
      },
    ],
    encryptionKeys: () => [{ name: 'key1', ref: 'encryption-key/key1.key', sha256: keyDigest('key1') }],
    retiredEncryptionKeys: () => [],
    revocations: () => undefined,
    digestOf: (parts) => keyDigest(JSON.stringify(parts)),
    ...changes,
  };
}

/** 64 hex digits that differ from id to id. */
export function keyDigest(id: string): string {
  return Buffer.from(id.padEnd(32, '.').slice(-32)).toString('hex');
}
