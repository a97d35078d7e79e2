import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  bitString,
  derNull,
  derTrue,
  element,
  explicit,
  implicit,
  namedBits,
  octetString,
  oid,
  printableString,
  sequence,
  set,
  smallInteger,
  utf8String,
} from '../../src/ca/der.ts';
import { keyIdentifier } from '../../src/ca/encode.ts';

/** Every field of a certificate as DER, so that a test can break any of them. */
export interface Fields {
  /** Empty: left out. */
  readonly version: Buffer;
  readonly serial: Buffer;
  readonly innerAlgorithm: Buffer;
  readonly outerAlgorithm: Buffer;
  readonly issuer: Buffer;
  readonly notBefore: Buffer;
  readonly notAfter: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly uniqueIds: Buffer;
  /** undefined: without the field. */
  readonly extensions: readonly Buffer[] | undefined;
  readonly signature: Buffer;
}

export function build(fields: Fields): Buffer {
  const { version, extensions } = fields;
  const tbs = sequence(
    ...(version.length === 0 ? [] : [explicit(0, version)]),
    fields.serial,
    fields.innerAlgorithm,
    fields.issuer,
    sequence(fields.notBefore, fields.notAfter),
    fields.subject,
    fields.spki,
    fields.uniqueIds,
    ...(extensions === undefined ? [] : [explicit(3, sequence(...extensions))]),
  );
  return sequence(tbs, fields.outerAlgorithm, fields.signature);
}

export const attribute = (type: string, value: Buffer): Buffer => set(sequence(oid(type), value));
export const commonName = (text: string): Buffer => attribute('2.5.4.3', utf8String(text));
export const extension = (type: string, value: Buffer, critical = false): Buffer =>
  critical ? sequence(oid(type), derTrue, octetString(value)) : sequence(oid(type), octetString(value));
export const utcTime = (text: string): Buffer => element(0x17, Buffer.from(text));
export const generalizedTime = (text: string): Buffer => element(0x18, Buffer.from(text));
export const dns = (name: string): Buffer => implicit(2, Buffer.from(name, 'latin1'));

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
export const ecKey = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
export const rsaKey = spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey);

export const ecdsaSha256 = sequence(oid('1.2.840.10045.4.3.2'));
export const rsaSha256 = sequence(oid('1.2.840.113549.1.1.11'), derNull);

/** The extensions of a good certificate, by name. */
export const good = {
  keyUsage: extension('2.5.29.15', namedBits([0]), true),
  caKeyUsage: extension('2.5.29.15', namedBits([5, 6]), true),
  peerUsages: extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
  noCa: extension('2.5.29.19', sequence(), true),
  ca: extension('2.5.29.19', sequence(derTrue), true),
  subjectKeyId: extension('2.5.29.14', octetString(keyIdentifier(ecKey))),
  authorityKeyId: extension('2.5.29.35', sequence(implicit(0, Buffer.alloc(20, 7)))),
  sans: extension('2.5.29.17', sequence(dns('node1'), implicit(7, Buffer.from([10, 0, 0, 1])))),
} as const;

/** What both etcd and this linter take: used by a server and a client. */
export const goodLeaf: Fields = {
  version: smallInteger(2),
  serial: element(0x02, Buffer.from('5a0102030405060708090a0b0c0d0e0f10111213', 'hex')),
  innerAlgorithm: ecdsaSha256,
  outerAlgorithm: ecdsaSha256,
  issuer: sequence(commonName('etcd-ca')),
  notBefore: utcTime('260101000000Z'),
  notAfter: generalizedTime('20510101000000Z'),
  subject: sequence(attribute('2.5.4.6', printableString('AT')), commonName('node1')),
  spki: ecKey,
  uniqueIds: Buffer.alloc(0),
  extensions: [good.keyUsage, good.peerUsages, good.noCa, good.subjectKeyId, good.authorityKeyId, good.sans],
  signature: bitString(Buffer.alloc(70, 0x30)),
};

export const goodAuthority: Fields = {
  ...goodLeaf,
  subject: goodLeaf.issuer,
  extensions: [good.caKeyUsage, good.ca, good.subjectKeyId],
};
