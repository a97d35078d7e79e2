import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { daysLeft, inspectPem } from '../../src/ca/inspect.ts';
import { pemText } from '../../src/ca/pem.ts';
import { KbinError } from '../../src/errors.ts';
import { MemoryStore, smallPlan, temporaryFolder } from './stores.ts';

const store = new MemoryStore();
const now = new Date('2026-11-21T00:00:00Z');
const pem = (path: string): string => String(store.files.get(path)?.content ?? '');

beforeAll(() => store.apply(smallPlan, now));

describe('inspectPem', () => {
  test('reads everything a certificate says', () => {
    const text = pem('etcd-ca/etcd-peer@m1.crt');
    const openssl = new X509Certificate(text);
    const ca = new X509Certificate(pem('etcd-ca/ca.crt'));
    const keyId = (certificate: X509Certificate): string =>
      createHash('sha1')
        .update(certificate.publicKey.export({ type: 'spki', format: 'der' }).subarray(-65))
        .digest('hex');
    expect(inspectPem(text)).toEqual([
      {
        subject: 'CN=m1',
        issuer: 'CN=etcd-ca',
        subjectFields: [{ type: 'CN', value: 'm1' }],
        issuerFields: [{ type: 'CN', value: 'etcd-ca' }],
        serial: openssl.serialNumber,
        sans: [
          { type: 'dns', value: 'm1' },
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '10.0.0.1' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
          { type: 'ip', value: '192.168.31.74' },
        ],
        usages: ['signing', 'server auth', 'client auth'],
        isCa: false,
        key: 'ecdsa-p256',
        signature: 'ecdsa-sha256',
        notBefore: new Date('2026-11-20T23:55:00Z'),
        notAfter: new Date('2036-11-18T00:00:00Z'),
        fingerprints: { sha1: openssl.fingerprint, sha256: openssl.fingerprint256 },
        subjectKeyId: keyId(openssl),
        authorityKeyId: keyId(ca),
        pem: text,
      },
    ]);
  });

  test('reads several certificates of one text, in their order, whatever stands between', () => {
    const text = `bundle of prod\r\n${pem('etcd-ca/ca.crt').replaceAll('\n', '\r\n')}\n# the next\n${pem('kubernetes-ca/ca.crt')}`;
    expect(inspectPem(text).map(({ subject }) => subject)).toEqual(['CN=etcd-ca', 'CN=kubernetes']);
  });

  test('passes over keys, and never shows one', () => {
    const text = pem('etcd-ca/ca.key') + pem('etcd-ca/ca.crt');
    const secret = pem('etcd-ca/ca.key').split('\n')[1] ?? '';
    expect(JSON.stringify(inspectPem(text))).not.toContain(secret);
    const attempt = (): unknown => inspectPem(pem('etcd-ca/ca.key'), 'ca.key');
    expect(attempt).toThrow(/^ca.key holds no certificate$/);
  });

  test('reads what other tools write', () => {
    const folder = temporaryFolder();
    const [key, crt] = [join(folder, 'k'), join(folder, 'c')];
    const names = 'DNS:a.example,IP:fd00::1,email:ops@example.org,URI:spiffe://x/y,RID:1.2.3.4,dirName:dir';
    const argv = ['req', '-x509', '-newkey', 'ed25519', '-noenc', '-keyout', key, '-out', crt, '-days', '3'];
    const subject = '/DC=org/UID=u1/serialNumber=7/CN=a, "b"\\+c;d';
    const extensions = [
      `subjectAltName=${names}`,
      'extendedKeyUsage=serverAuth,1.2.3.4',
      'keyUsage=digitalSignature,nonRepudiation,keyAgreement,decipherOnly',
      'basicConstraints=critical,CA:TRUE,pathlen:0',
    ].flatMap((extension) => ['-addext', extension]);
    const config = join(folder, 'cnf');
    writeFileSync(config, '[req]\ndistinguished_name=dn\n[dn]\n[dir]\nCN=inner\n');
    execFileSync('openssl', [...argv, '-config', config, '-subj', subject, ...extensions], { stdio: 'pipe' });
    const [info] = inspectPem(readFileSync(crt, 'utf8'));
    expect(info).toMatchObject({
      subject: 'DC=org, 0.9.2342.19200300.100.1.1=u1, 2.5.4.5=7, CN=a\\, \\"b\\"\\+c\\;d',
      sans: [
        { type: 'dns', value: 'a.example' },
        { type: 'ip', value: 'fd00::1' },
        { type: 'email', value: 'ops@example.org' },
        { type: 'uri', value: 'spiffe://x/y' },
        { type: 'other', value: 'id:1.2.3.4' },
        { type: 'other', value: 'dn:CN=inner' },
      ],
      usages: ['signing', 'content commitment', 'key agreement', 'decipher only', 'server auth', '1.2.3.4'],
      isCa: true,
      pathLength: 0,
      key: 'ed25519',
    });
  });

  test.each([
    ['', 'the input holds no certificate'],
    ['-----BEGIN CERTIFICATE-----\nMIIB\n', 'the input is not well-formed PEM'],
    ['-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n', 'the input is not well-formed PEM'],
    [
      '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
      'the input, certificate 1 is not a certificate that can be read',
    ],
    ['-----BEGIN CERTIFICATE-----\nMAA=\n-----END PRIVATE KEY-----\n', 'the input is not well-formed PEM'],
  ])('refuses %j', (text, message) => {
    const attempt = (): unknown => inspectPem(text);
    expect(attempt).toThrow(KbinError);
    expect(attempt).toThrow(message);
  });

  test('a damaged certificate gives an error or is read; nothing else happens', () => {
    const der = Buffer.from(
      pem('kubernetes-ca/apiserver@m1.crt').replaceAll(/-----.*-----|\n/g, ''),
      'base64',
    );
    const damage = fc.array(
      fc.record({ at: fc.nat({ max: der.length - 1 }), byte: fc.nat({ max: 255 }), cut: fc.boolean() }),
      { minLength: 1, maxLength: 3 },
    );
    let refused = 0;
    fc.assert(
      fc.property(damage, (places) => {
        let damaged = Buffer.from(der);
        for (const { at, byte, cut } of places) {
          damaged[Math.min(at, damaged.length - 1)] = byte;
          if (cut) damaged = damaged.subarray(0, Math.max(1, damaged.length - (at % 7)));
        }
        try {
          expect(inspectPem(pemText('CERTIFICATE', damaged))).toHaveLength(1);
        } catch (error) {
          expect(error).toBeInstanceOf(KbinError);
          refused++;
        }
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});

test('daysLeft counts whole days, below zero once it is over', () => {
  const at = (text: string) => daysLeft({ notAfter: new Date('2030-01-10T12:00:00Z') }, new Date(text));
  expect(at('2030-01-08T11:59:59Z')).toBe(2);
  expect(at('2030-01-10T11:00:00Z')).toBe(0);
  expect(at('2030-01-10T13:00:00Z')).toBe(-1);
});
