import {
  bitString,
  derNull,
  derTrue,
  element,
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
import type { Role } from '../../src/ca/lint.ts';
import {
  attribute,
  build,
  commonName,
  dns,
  ecKey,
  extension,
  type Fields,
  generalizedTime,
  good,
  goodAuthority,
  goodLeaf,
  rsaKey,
  rsaSha256,
  utcTime,
} from './certificate-builder.ts';

export interface Broken {
  /** Rules that find it, in their order. */
  readonly rules: readonly string[];
  /** What of the message tells what is wrong. */
  readonly says: RegExp;
  readonly der: Buffer;
  readonly roles: readonly Role[];
  /** DER of the CA. */
  readonly issuer?: Buffer;
}

const peer: readonly Role[] = ['server', 'client'];

function leaf(rules: string | readonly string[], says: RegExp, change: Partial<Fields>): Broken {
  return { rules: [rules].flat(), says, der: build({ ...goodLeaf, ...change }), roles: peer };
}

function authority(rules: string | readonly string[], says: RegExp, change: Partial<Fields>): Broken {
  return { rules: [rules].flat(), says, der: build({ ...goodAuthority, ...change }), roles: ['ca'] };
}

/** The good leaf with one extension in another's place; undefined: without it. */
function instead(name: keyof typeof good, ...others: readonly Buffer[]): Partial<Fields> {
  return { extensions: goodLeaf.extensions?.flatMap((one) => (one === good[name] ? others : [one])) };
}

function besides(...others: readonly Buffer[]): Partial<Fields> {
  return { extensions: [...(goodLeaf.extensions ?? []), ...others] };
}

const sans = (...names: readonly Buffer[]): Partial<Fields> =>
  instead('sans', extension('2.5.29.17', sequence(...names)));
const subject = (...parts: readonly Buffer[]): Partial<Fields> => ({ subject: sequence(...parts) });
const integer = (hex: string): Buffer => element(0x02, Buffer.from(hex, 'hex'));
const usages = (...oids: readonly string[]): Partial<Fields> =>
  instead('peerUsages', extension('2.5.29.37', sequence(...oids.map(oid))));
const anyUsage = '2.5.29.37.0';
const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] as const;

/** A SEQUENCE whose length is written in one octet more than it needs. */
function longWinded(der: Buffer): Buffer {
  const size = der.readUInt16BE(2);
  return Buffer.concat([Buffer.from([0x30, 0x83, 0, size >> 8, size & 0xff]), der.subarray(4)]);
}

/** At least one for each rule. */
export const brokenCertificates: Readonly<Record<string, Broken>> = {
  'no certificate at all': { rules: ['structure'], says: /malformed/, der: smallInteger(1), roles: [] },
  'cut short': {
    rules: ['structure'],
    says: /malformed: DER/,
    der: build(goodLeaf).subarray(0, 100),
    roles: [],
  },
  'something after it': {
    rules: ['structure'],
    says: /malformed/,
    der: Buffer.concat([build(goodLeaf), derNull]),
    roles: [],
  },
  'an extension that holds something else': leaf('structure', /2\.5\.29\.37/, {
    ...instead('peerUsages', extension('2.5.29.37', octetString(Buffer.alloc(3)))),
  }),
  'a length in too many octets': {
    ...leaf('der-encoding', /length/, {}),
    der: longWinded(build(goodLeaf)),
  },
  'version 1 with extensions': leaf('version', /version 1/, { version: Buffer.alloc(0) }),
  'version 2': leaf('version', /version 2/, { version: smallInteger(1) }),
  'a negative serial': leaf('serial-positive', /negative/, { serial: integer('f00001') }),
  'a serial of zero': leaf('serial-positive', /zero/, { serial: integer('00') }),
  'a root with serial zero': authority('serial-of-root', /zero/, { serial: integer('00') }),
  'a serial of 21 octets': leaf('serial-length', /21 octets/, { serial: integer(`00${'ff'.repeat(20)}`) }),
  'a padded serial': leaf('serial-encoding', /00/, { serial: integer('000001') }),
  'two signature algorithms': leaf('algorithms-equal', /another/, { outerAlgorithm: rsaSha256 }),
  'RSA without NULL': leaf('algorithm-parameters', /NULL/, {
    innerAlgorithm: sequence(oid('1.2.840.113549.1.1.11')),
    outerAlgorithm: sequence(oid('1.2.840.113549.1.1.11')),
  }),
  'ECDSA with NULL': leaf('algorithm-parameters', /parameters/, {
    innerAlgorithm: sequence(oid('1.2.840.10045.4.3.2'), derNull),
    outerAlgorithm: sequence(oid('1.2.840.10045.4.3.2'), derNull),
  }),
  'no signature': leaf('signature-octets', /empty/, { signature: bitString(Buffer.alloc(0)) }),
  'GeneralizedTime too early': leaf('time-encoding', /notAfter is a GeneralizedTime of the year 2030/, {
    notAfter: generalizedTime('20300101000000Z'),
  }),
  'no seconds': leaf('time-form', /notBefore reads "2601010000Z"/, { notBefore: utcTime('2601010000Z') }),
  'fractions of a second': leaf('time-form', /notAfter reads/, {
    notAfter: generalizedTime('20510101000000.5Z'),
  }),
  'a time zone': leaf('time-form', /notBefore reads/, { notBefore: utcTime('260101000000+0100') }),
  'a day that does not exist': leaf('time-form', /does not exist/, { notBefore: utcTime('261301000000Z') }),
  'ends before it begins': leaf('validity-order', /2060.* to 2051/, {
    notBefore: generalizedTime('20600101000000Z'),
  }),
  'a unique identifier': leaf('unique-ids', /UniqueID/, { uniqueIds: element(0x82, Buffer.from([0, 1])) }),
  'an RSA key without NULL': leaf('key-parameters', /NULL/, {
    spki: sequence(
      sequence(oid('1.2.840.113549.1.1.1')),
      bitString(sequence(integer('00c1'), integer('010001'))),
    ),
  }),
  'a curve that is spelt out': leaf('key-parameters', /curve/, {
    spki: sequence(
      sequence(oid('1.2.840.10045.2.1'), sequence(smallInteger(1))),
      bitString(Buffer.alloc(65)),
    ),
  }),
  'RSA with exponent 1': leaf('rsa-exponent', /exponent/, {
    spki: sequence(
      sequence(oid('1.2.840.113549.1.1.1'), derNull),
      bitString(sequence(integer('00c1'), integer('01'))),
    ),
  }),
  'an issuer without a name': leaf('issuer-empty', /issuer/, { issuer: sequence() }),
  'a CA without a name': authority(['authority-nameless', 'authority-key-id-missing'], /without a name/, {
    subject: sequence(),
  }),
  'no subject and names that are not critical': leaf('subject-empty', /not critical/, subject()),
  'an empty CN': leaf('name-set-empty', /subject has an empty part/, subject(commonName(''))),
  'an empty set': leaf('name-set-empty', /empty/, subject(set())),
  'a BMPString': leaf(
    'name-string-type',
    /CN as BMPString/,
    subject(attribute('2.5.4.3', element(0x1e, Buffer.from('0061', 'hex')))),
  ),
  'a country as UTF8String': leaf(
    'name-string-type',
    /C as UTF8String/,
    subject(attribute('2.5.4.6', utf8String('AT'))),
  ),
  'a letter that PrintableString lacks': leaf(
    'name-letters',
    /CN that a PrintableString/,
    subject(attribute('2.5.4.3', printableString('a@b'))),
  ),
  'bytes that are no UTF-8': leaf(
    'name-letters',
    /UTF8String/,
    subject(attribute('2.5.4.3', element(0x0c, Buffer.from([0xff])))),
  ),
  'a CN with a zero in it': leaf('name-letters', /UTF8String/, subject(commonName('a\0b'))),
  'a CN of 65 letters': leaf('name-length', /65 letters in CN/, subject(commonName('ä'.repeat(65)))),
  'a country of three letters': leaf(
    ['name-length', 'country-code'],
    /3 letters/,
    subject(attribute('2.5.4.6', printableString('AUT'))),
  ),
  'a country of digits': leaf(
    'country-code',
    /two letters/,
    subject(attribute('2.5.4.6', printableString('43'))),
  ),
  'an empty field of extensions': authority(
    ['extensions-empty', 'authority-unmarked', 'subject-key-id-advised'],
    /field of extensions/,
    { extensions: [] },
  ),
  'basicConstraints twice': leaf('extension-twice', /basicConstraints/, besides(good.noCa)),
  'a criticality that is spelt out': leaf(
    'criticality-encoding',
    /not critical/,
    instead(
      'subjectKeyId',
      sequence(
        oid('2.5.29.14'),
        element(0x01, Buffer.from([0])),
        octetString(octetString(Buffer.alloc(20, 1))),
      ),
    ),
  ),
  'a criticality of 01': leaf(
    'criticality-encoding',
    /DER/,
    instead(
      'keyUsage',
      sequence(oid('2.5.29.15'), element(0x01, Buffer.from([1])), octetString(namedBits([0]))),
    ),
  ),
  'a critical subjectKeyIdentifier': leaf(
    'criticality',
    /subjectKeyIdentifier is critical/,
    instead('subjectKeyId', extension('2.5.29.14', octetString(Buffer.alloc(20, 1)), true)),
  ),
  'a keyUsage that is not critical': leaf(
    'criticality-advised',
    /keyUsage is not critical/,
    instead('keyUsage', extension('2.5.29.15', namedBits([0]))),
  ),
  'a CA whose basicConstraints are not critical': authority('authority-criticality', /not critical/, {
    extensions: [good.caKeyUsage, extension('2.5.29.19', sequence(derTrue)), good.subjectKeyId],
  }),
  'a critical extension that nobody knows': leaf(
    'extension-unknown',
    /1\.2\.3\.4/,
    besides(extension('1.2.3.4', derNull, true)),
  ),
  'no distribution point': leaf(
    'extension-value-empty',
    /cRLDistributionPoints is empty/,
    besides(extension('2.5.29.31', sequence())),
  ),
  'a CA without basicConstraints': authority(
    ['authority-unmarked', 'leaf-key-usage'],
    /no basicConstraints/,
    { extensions: [good.caKeyUsage, good.subjectKeyId] },
  ),
  'a CA whose basicConstraints say no': authority(
    ['authority-unmarked', 'leaf-key-usage'],
    /say that it is none/,
    { extensions: [good.caKeyUsage, good.noCa, good.subjectKeyId] },
  ),
  'a server that is a CA': leaf(
    ['leaf-is-authority', 'authority-key-usage'],
    /is a CA/,
    instead('noCa', good.ca),
  ),
  'no CA, spelt out': leaf(
    'constraints-encoding',
    /spell out/,
    instead('noCa', extension('2.5.29.19', sequence(element(0x01, Buffer.from([0]))), true)),
  ),
  'a path length on a leaf': leaf(
    'path-length',
    /signs no certificates/,
    instead('noCa', extension('2.5.29.19', sequence(smallInteger(0)), true)),
  ),
  'a negative path length': authority('path-length', /negative/, {
    extensions: [
      good.caKeyUsage,
      extension('2.5.29.19', sequence(derTrue, integer('ff')), true),
      good.subjectKeyId,
    ],
  }),
  'no authorityKeyIdentifier': leaf('authority-key-id-missing', /no authorityKey/, instead('authorityKeyId')),
  'an empty authorityKeyIdentifier': leaf(
    'authority-key-id-missing',
    /no key identifier/,
    instead('authorityKeyId', extension('2.5.29.35', sequence())),
  ),
  'half an authorityKeyIdentifier': leaf(
    'authority-key-id-form',
    /only one/,
    instead(
      'authorityKeyId',
      extension('2.5.29.35', sequence(implicit(0, Buffer.alloc(20, 7)), implicit(2, Buffer.from([1])))),
    ),
  ),
  'another CA’s key identifier': {
    ...leaf('authority-key-id-match', /0707/, {}),
    issuer: build(goodAuthority),
  },
  'a root that points to another key': authority('authority-key-id-match', /0707/, {
    extensions: [...(goodAuthority.extensions ?? []), good.authorityKeyId],
  }),
  'an issuer in other octets': {
    ...leaf('issuer-match', /octets/, {}),
    issuer: build({
      ...goodAuthority,
      subject: sequence(attribute('2.5.4.3', printableString('etcd-ca'))),
      extensions: [good.caKeyUsage, good.ca],
    }),
  },
  'a CA without subjectKeyIdentifier': authority('subject-key-id-missing', /CA without/, {
    extensions: [good.caKeyUsage, good.ca],
  }),
  'a leaf without subjectKeyIdentifier': leaf(
    'subject-key-id-advised',
    /no subjectKey/,
    instead('subjectKeyId'),
  ),
  'an empty subjectKeyIdentifier': leaf(
    'subject-key-id-empty',
    /is empty/,
    instead('subjectKeyId', extension('2.5.29.14', octetString(Buffer.alloc(0)))),
  ),
  'nameConstraints on a leaf': leaf(
    'name-constraints',
    /nameConstraints/,
    besides(extension('2.5.29.30', sequence(element(0xa0, sequence(dns('a')))), true)),
  ),
  'a keyUsage without bits': leaf(
    ['key-usage-encoding', 'signing-usage'],
    /no bit/,
    instead('keyUsage', extension('2.5.29.15', bitString(Buffer.from([0])), true)),
  ),
  'a keyUsage with zero bits after it': leaf(
    'key-usage-encoding',
    /zero bits/,
    instead('keyUsage', extension('2.5.29.15', bitString(Buffer.from([0x80])), true)),
  ),
  'a CA without keyUsage': authority('authority-key-usage', /without keyUsage/, {
    extensions: [good.ca, good.subjectKeyId],
  }),
  'a CA that must not sign': authority('authority-key-usage', /keyCertSign/, {
    extensions: [extension('2.5.29.15', namedBits([6]), true), good.ca, good.subjectKeyId],
  }),
  'a leaf that may sign certificates': leaf(
    'leaf-key-usage',
    /keyCertSign/,
    instead('keyUsage', extension('2.5.29.15', namedBits([0, 5]), true)),
  ),
  'encipherOnly alone': leaf(
    'encipher-only',
    /encipherOnly/,
    instead('keyUsage', extension('2.5.29.15', namedBits([0, 7]), true)),
  ),
  'an elliptic-curve key that enciphers': leaf(
    'key-usage-of-key',
    /encipher/,
    instead('keyUsage', extension('2.5.29.15', namedBits([0, 2]), true)),
  ),
  'an RSA key that agrees': leaf('key-usage-of-key', /agree/, {
    ...instead('keyUsage', extension('2.5.29.15', namedBits([0, 4]), true)),
    spki: rsaKey,
  }),
  'a server that may not sign': leaf('signing-usage', /digitalSignature/, {
    ...instead('keyUsage', extension('2.5.29.15', namedBits([2]), true)),
    spki: rsaKey,
  }),
  'no extended usage': leaf(
    ['extended-usage-form', 'server-usage', 'client-usage'],
    /extendedKeyUsage is empty/,
    usages(),
  ),
  'the same extended usage twice': leaf(
    'extended-usage-form',
    /twice/,
    usages(serverAuth, clientAuth, serverAuth),
  ),
  'any usage, and critical': leaf(
    ['any-usage-critical', 'any-usage'],
    /critical, and allows any/,
    instead('peerUsages', extension('2.5.29.37', sequence(oid(anyUsage)), true)),
  ),
  'a server that is only a client': leaf('server-usage', /serverAuth/, usages(clientAuth)),
  'an etcd member that is only a server': leaf('client-usage', /clientAuth/, usages(serverAuth)),
  'any usage': leaf('any-usage', /anything/, usages(serverAuth, clientAuth, anyUsage)),
  'empty alternative names': leaf(['sans-empty', 'server-sans'], /are empty/, sans()),
  'a server without alternative names': leaf('server-sans', /neither a DNS name/, instead('sans')),
  'critical alternative names': leaf(
    'sans-critical',
    /are critical/,
    instead('sans', extension('2.5.29.17', sequence(dns('node1')), true)),
  ),
  'an alternative name of no form': leaf(
    'san-form',
    /0x8a/,
    sans(dns('node1'), element(0x8a, Buffer.from('x'))),
  ),
  'an empty DNS name': leaf('san-dns', /"" is no DNS name/, sans(dns(''))),
  'a DNS name with a space': leaf('san-dns', /"a b" is no DNS name/, sans(dns('a b'))),
  'a DNS name with a dot at its end': leaf('san-dns', /"node1\." is/, sans(dns('node1.'))),
  'a wildcard in the middle': leaf('san-dns', /"a\.\*\.b" is/, sans(dns('a.*.b'))),
  'a DNS name that is no ASCII': leaf('san-dns', /"m\?nchen" is/, sans(dns('mänchen'))),
  'a DNS name with an underscore': leaf('san-dns-letters', /underscore/, sans(dns('node_1'))),
  'an address as a DNS name': leaf('san-dns-letters', /reads like an address/, sans(dns('10.0.0.1'))),
  'an address of five octets': leaf(
    'san-ip',
    /5 octets/,
    sans(dns('node1'), implicit(7, Buffer.alloc(5, 1))),
  ),
  'IPv4 in IPv6 clothes': leaf(
    'san-ip-mapped',
    /10\.0\.0\.1 is written/,
    sans(implicit(7, Buffer.from('00000000000000000000ffff0a000001', 'hex'))),
  ),
  'an e-mail address without @': leaf(
    'san-email',
    /"nobody" is/,
    sans(dns('node1'), implicit(1, Buffer.from('nobody'))),
  ),
  'a URI without a scheme': leaf(
    'san-uri',
    /"\/\/a" is/,
    sans(dns('node1'), implicit(6, Buffer.from('//a'))),
  ),
};

/** None of these is to be complained of. */
export const soundCertificates: Readonly<Record<string, Omit<Broken, 'rules' | 'says'>>> = {
  'a member of etcd': { der: build(goodLeaf), roles: peer },
  'of which nobody knows what for': { der: build(goodLeaf), roles: [] },
  'a root': { der: build(goodAuthority), roles: ['ca'] },
  'a client without names': {
    der: build({
      ...goodLeaf,
      extensions: [
        good.keyUsage,
        extension('2.5.29.37', sequence(oid(clientAuth))),
        good.noCa,
        good.subjectKeyId,
        good.authorityKeyId,
      ],
    }),
    roles: ['client'],
  },
  'without a subject, by its names alone': {
    der: build({
      ...goodLeaf,
      ...subject(),
      ...instead('sans', extension('2.5.29.17', sequence(dns('*.node1'), dns('localhost')), true)),
    }),
    roles: peer,
  },
  'an intermediate CA': {
    der: build({
      ...goodAuthority,
      subject: sequence(commonName('issuing')),
      extensions: [
        good.caKeyUsage,
        extension('2.5.29.19', sequence(derTrue, smallInteger(0)), true),
        good.subjectKeyId,
        extension('2.5.29.35', sequence(implicit(0, good.subjectKeyId.subarray(-20)))),
      ],
    }),
    roles: ['ca'],
    issuer: build(goodAuthority),
  },
  'an RSA key': {
    der: build({
      ...goodLeaf,
      spki: rsaKey,
      innerAlgorithm: rsaSha256,
      outerAlgorithm: rsaSha256,
      ...instead('keyUsage', extension('2.5.29.15', namedBits([0, 2]), true)),
    }),
    roles: peer,
  },
  'an unknown extension that is not critical': {
    der: build({ ...goodLeaf, ...besides(extension('1.2.3.4', derNull)), spki: ecKey }),
    roles: peer,
  },
};
