import 'reflect-metadata';
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { San } from '../../pki/san.ts';
import { extendedUsageOids, isKeyUsage, keyUsageBits, type Usage } from '../../pki/usages.ts';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { children, firstElement, publicKeyBits, rawSubject } from '../../src/ca/der-read.ts';
import { type CertificateFields, encodeCertificate, keyIdentifier } from '../../src/ca/encode.ts';
import { encodeName } from '../../src/ca/names.ts';
import { type Subject, subjectOrder } from '../../src/desired/certificate-plan.ts';

/** What both encoders are told. */
interface Input {
  readonly serial: Buffer;
  readonly issuer: Subject;
  readonly subject: Subject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly usages: readonly Usage[];
  readonly authority: { readonly pathLength?: number } | undefined;
  readonly sans: readonly San[];
  readonly selfSigned: boolean;
}

const keys = {
  'ecdsa-p256': pairOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
  'ecdsa-p384': pairOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
  'rsa-2048': pairOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  'rsa-3072': pairOf(generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey),
};

type KeyName = keyof typeof keys;

const webAlgorithms: Record<KeyName, webcrypto.EcKeyImportParams & webcrypto.RsaHashedImportParams> = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ecdsa-p384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  'rsa-2048': { name: 'RSASSA-PKCS1-v1_5', namedCurve: '', hash: 'SHA-256' },
  'rsa-3072': { name: 'RSASSA-PKCS1-v1_5', namedCurve: '', hash: 'SHA-384' },
};

function pairOf(privateKey: KeyObject): { privateKey: KeyObject; spki: Buffer; pkcs8: Buffer } {
  return {
    privateKey,
    spki: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
}

function ours(input: Input, key: KeyName): Buffer {
  const { privateKey, spki } = keys[key];
  const fields: CertificateFields = {
    serial: input.serial,
    issuer: encodeName(input.issuer),
    subject: encodeName(input.subject),
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    spki,
    extensions: {
      usages: input.usages,
      ...(input.authority === undefined ? {} : { authority: input.authority }),
      subjectKeyId: keyIdentifier(spki),
      ...(input.selfSigned ? {} : { authorityKeyId: createHash('sha1').update('ca').digest() }),
      sans: input.sans,
    },
  };
  return encodeCertificate(fields, privateKey);
}

async function theirs(input: Input, key: KeyName): Promise<Buffer> {
  const { pkcs8, spki } = keys[key];
  const algorithm = webAlgorithms[key];
  const signingKey = await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, [
    'sign',
  ]);
  const publicKey = await crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: input.serial.toString('hex'),
    issuer: libraryName(input.issuer),
    subject: libraryName(input.subject),
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    signingAlgorithm: algorithm,
    publicKey,
    signingKey,
    extensions: await theirExtensions(input, publicKey),
  });
  return Buffer.from(certificate.rawData);
}

async function theirExtensions(input: Input, publicKey: CryptoKey): Promise<x509.Extension[]> {
  const bits = input.usages.filter(isKeyUsage).reduce((sum, usage) => sum | (1 << keyUsageBits[usage]), 0);
  const extended = input.usages.flatMap((usage) => (isKeyUsage(usage) ? [] : [extendedUsageOids[usage]]));
  const names = input.sans.map(({ type, value }) => ({
    type: type === 'uri' ? ('url' as const) : type,
    value,
  }));
  return [
    ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
    new x509.BasicConstraintsExtension(input.authority !== undefined, input.authority?.pathLength, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ...(input.selfSigned
      ? []
      : [new x509.AuthorityKeyIdentifierExtension(createHash('sha1').update('ca').digest('hex'))]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ];
}

function libraryName(subject: Subject): x509.Name {
  const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
  const json = subject.map(({ type, value }) => ({
    [type]: [printable.test(value) ? { printableString: value } : { utf8String: value }],
  }));
  return new x509.Name(json);
}

/** ECDSA signatures hold randomness; what is signed does not. */
const signedPart = (certificate: Buffer): Buffer =>
  children(firstElement(certificate).content)[0]?.whole ?? Buffer.alloc(0);

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
const san: fc.Arbitrary<San> = fc.oneof(
  fc
    .array(label, { minLength: 1, maxLength: 4 })
    .map((labels) => ({ type: 'dns' as const, value: labels.join('.') })),
  label.map((name) => ({ type: 'dns' as const, value: `*.${name}.example` })),
  fc.ipV4().map((value) => ({ type: 'ip' as const, value })),
  fc
    .ipV6()
    .filter((value) => !value.includes('.') && !/^(0*:){2,}/.test(value))
    .map((value) => ({ type: 'ip' as const, value })),
  label.map((name) => ({ type: 'email' as const, value: `ops@${name}.example` })),
  label.map((name) => ({ type: 'uri' as const, value: `spiffe://${name}/ns/x` })),
);
const subject: fc.Arbitrary<Subject> = fc
  .record(
    Object.fromEntries(
      subjectOrder.map((type) => [
        type,
        type === 'C'
          ? fc.constantFrom('AT', 'DE')
          : fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      ]),
    ),
    { requiredKeys: ['CN'] },
  )
  .map((fields) =>
    subjectOrder.flatMap((type) => (fields[type] === undefined ? [] : [{ type, value: fields[type] }])),
  )
  .filter((fields) => fields.every(({ value }) => !/\p{Cc}/u.test(value) && value.trim() !== ''));
const usage = fc.constantFrom(...(Object.keys({ ...keyUsageBits, ...extendedUsageOids }) as Usage[]));
const instant = fc
  .date({ min: new Date('1950-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));
const input: fc.Arbitrary<Input> = fc.record({
  serial: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
    const serial = Buffer.from(bytes);
    serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
    return serial;
  }),
  issuer: subject,
  subject,
  notBefore: instant,
  notAfter: instant,
  usages: fc.uniqueArray(usage, { maxLength: 6 }),
  authority: fc.option(fc.record({ pathLength: fc.nat({ max: 300 }) }, { requiredKeys: [] }), {
    nil: undefined,
  }),
  sans: fc.array(san, { maxLength: 8 }),
  selfSigned: fc.boolean(),
});

describe('the lean encoder', () => {
  test.each(['rsa-2048', 'rsa-3072'] as const)(
    'makes with %s, byte for byte, what @peculiar/x509 makes',
    async (key) => {
      await fc.assert(
        fc.asyncProperty(input, async (given) => {
          expect(ours(given, key).toString('hex')).toBe((await theirs(given, key)).toString('hex'));
        }),
        { numRuns: 60 },
      );
    },
  );

  test.each(['ecdsa-p256', 'ecdsa-p384'] as const)(
    'signs with %s, byte for byte, what @peculiar/x509 signs',
    async (key) => {
      await fc.assert(
        fc.asyncProperty(input, async (given) => {
          const own = ours(given, key);
          const other = await theirs(given, key);
          expect(signedPart(own).toString('hex')).toBe(signedPart(other).toString('hex'));
          const certificate = new x509.X509Certificate(own);
          const verifier = new x509.PublicKey(keys[key].spki);
          expect(await certificate.verify({ publicKey: verifier, signatureOnly: true })).toBe(true);
        }),
        { numRuns: 60 },
      );
    },
  );

  test('names are copied out of a certificate as they stand there', () => {
    fc.assert(
      fc.property(input, (given) => {
        const certificate = ours(given, 'ecdsa-p256');
        expect(rawSubject(certificate).equals(encodeName(given.subject))).toBe(true);
        expect(certificateParts(certificate).issuer.equals(encodeName(given.issuer))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("a key identifier is the SHA-1 of the key's bits", () => {
    const { spki } = keys['ecdsa-p256'];
    // The uncompressed point: 0x04 and two coordinates.
    expect(publicKeyBits(spki)).toHaveLength(65);
    expect(keyIdentifier(spki).equals(createHash('sha1').update(spki.subarray(-65)).digest())).toBe(true);
  });
});
