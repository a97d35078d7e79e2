import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { pemBlocks } from '../../src/ca/pem.ts';
import { encodePkcs12, type Pkcs12Contents } from '../../src/ca/pkcs12.ts';
import { isPkcs12, readPkcs12 } from '../../src/ca/pkcs12-read.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { MemoryStore, temporaryFolder } from './stores.ts';

const openssl = (...argv: string[]): string =>
  execFileSync('openssl', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const cluster = exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')] });

async function contents(key: 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048'): Promise<Pkcs12Contents> {
  const store = new MemoryStore();
  await store.apply(certificatePlan({ ...cluster, pki: { ...cluster.pki, key } }), new Date());
  const text = (path: string) => String(store.files.get(path)?.content ?? '');
  const ders = ['kubernetes-ca/admin.crt', 'kubernetes-ca/ca.crt'].flatMap((path) =>
    pemBlocks(text(path), path),
  );
  return {
    name: 'admin of prüfung',
    certificates: ders.map(({ der }) => der),
    key: createPrivateKey(text('kubernetes-ca/admin.key')).export({ type: 'pkcs8', format: 'der' }),
  };
}

describe.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)('%s', (type) => {
  let given: Pkcs12Contents;
  beforeAll(async () => {
    given = await contents(type);
  });

  test.each([
    ['modern', 'secret'],
    ['modern', 'pässwörd with spaces'],
    ['modern', ''],
    ['legacy', 'secret'],
    ['legacy', 'pässwörd with spaces'],
    ['legacy', ''],
  ] as const)('openssl reads it: %s, password "%s"', { timeout: 30_000 }, (strength, password) => {
    const file = join(temporaryFolder(), 'one.p12');
    const bytes = encodePkcs12(given, password, strength);
    writeFileSync(file, bytes);
    const argv = ['pkcs12', '-in', file, '-passin', `pass:${password}`];
    const info = execFileSync('sh', ['-c', 'exec openssl "$@" 2>&1', 'sh', ...argv, '-info', '-noout'], {
      encoding: 'utf8',
    });
    expect(info).toMatch(
      strength === 'modern'
        ? /MAC: sha256[\s\S]*PBES2, PBKDF2, AES-256-CBC.*hmacWithSHA256/
        : /MAC: sha1[\s\S]*pbeWithSHA1And3-KeyTripleDES-CBC/,
    );
    const shown = openssl(...argv, '-nodes');
    expect(shown).toContain('friendlyName: admin of pr');
    const [leaf, ca] = pemBlocks(shown, 'openssl').filter(({ label }) => label === 'CERTIFICATE');
    expect([leaf?.der, ca?.der]).toEqual(given.certificates);
    const key = pemBlocks(shown, 'openssl').find(({ label }) => label === 'PRIVATE KEY');
    expect(
      createPrivateKey({ key: key?.text ?? '', format: 'pem' }).export({ type: 'pkcs8', format: 'der' }),
    ).toEqual(given.key);
    expect(readPkcs12(bytes, password)).toEqual({ state: 'read', certificates: given.certificates });
    expect(readPkcs12(bytes, `${password}x`)).toEqual({ state: 'wrong-password' });
  });
});

describe('reading', () => {
  test.each([
    ['as OpenSSL 3 makes it', []],
    ['as older ones did: RC2 with 40 bits', ['-legacy']],
    ['with a triple DES for certificates too', ['-legacy', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['with SHA-512', ['-macalg', 'sha512']],
    ['with certificates in the clear', ['-certpbe', 'NONE']],
  ] as const)('%s', async (_how, options) => {
    const { certificates, key } = await contents('ecdsa-p256');
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(at('crt'), certificates.map((der) => new X509Certificate(der).toString()).join(''));
    writeFileSync(
      at('key'),
      createPrivateKey({ key, type: 'pkcs8', format: 'der' }).export({ type: 'pkcs8', format: 'pem' }),
    );
    openssl(
      'pkcs12',
      '-export',
      '-in',
      at('crt'),
      '-inkey',
      at('key'),
      '-out',
      at('p12'),
      '-passout',
      'pass:sécret',
      ...options,
    );
    const bytes = readFileSync(at('p12'));
    expect(isPkcs12(bytes)).toBe(true);
    expect(readPkcs12(bytes, 'sécret')).toEqual({ state: 'read', certificates });
    expect(readPkcs12(bytes, 'secret')).toEqual({ state: 'wrong-password' });
  });

  test('more rounds than anybody makes are refused at once', async () => {
    const bytes = encodePkcs12(await contents('ecdsa-p256'), 'x', 'modern');
    // The last element: INTEGER 10000.
    const slow = Buffer.concat([bytes.subarray(0, -2), Buffer.from([0x7f, 0xff])]);
    expect(bytes.subarray(-4)).toEqual(Buffer.from([0x02, 0x02, 0x27, 0x10]));
    expect(readPkcs12(slow, 'x')).toEqual({ state: 'wrong-password' });
    const absurd = Buffer.from(bytes);
    absurd.set([0x02, 0x02, 0xff, 0xff], bytes.length - 4);
    expect(() => readPkcs12(Buffer.concat([absurd.subarray(0, -4), Buffer.from([0x02, 0x00])]), 'x')).toThrow(
      RangeError,
    );
  });

  test('whatever is damaged is an error or a wrong password, never a crash or another certificate', {
    timeout: 60_000,
  }, async () => {
    const given = await contents('ecdsa-p256');
    const bytes = encodePkcs12(given, '', 'legacy');
    const byte = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 3 }), fc.nat(bytes.length), (changes, length) => {
        const damaged = Buffer.from(bytes);
        for (const { at, to } of changes) damaged[at] = to;
        for (const one of [damaged, bytes.subarray(0, length)]) {
          try {
            const reading = readPkcs12(one, '');
            if (reading.state === 'read') expect(reading.certificates).toEqual(given.certificates);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
