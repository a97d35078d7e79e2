import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readContents } from '../../src/ca/contents.ts';
import { encodeCrl } from '../../src/ca/crl.ts';
import { readCrl } from '../../src/ca/crl-read.ts';
import { rawSubject } from '../../src/ca/der-read.ts';
import { pemBlocks, pemText } from '../../src/ca/pem.ts';
import { readDocuments } from '../../src/cli/pki/show-documents.ts';
import { KbinError } from '../../src/errors.ts';
import { MemoryStore, smallPlan } from './stores.ts';

const samples: Record<'certificate' | 'list' | 'request', Buffer> = {
  certificate: Buffer.alloc(0),
  list: Buffer.alloc(0),
  request: Buffer.alloc(0),
};
let key = '';

beforeAll(async () => {
  const store = new MemoryStore();
  await store.apply(smallPlan, new Date());
  const text = (path: string) => String(store.files.get(path)?.content ?? '');
  const derOf = (path: string) => pemBlocks(text(path), path)[0]?.der ?? Buffer.alloc(0);
  samples.certificate = derOf('etcd-ca/etcd-server@m1.crt');
  const now = new Date(1_800_000_000_000);
  samples.list = encodeCrl(
    {
      issuer: rawSubject(derOf('etcd-ca/ca.crt')),
      thisUpdate: now,
      nextUpdate: new Date(now.getTime() + 86_400_000),
      number: Buffer.from([1, 2]),
      revoked: [{ serial: Buffer.from([0x5a, 1]), at: now, reason: 1 }],
    },
    createPrivateKey(text('etcd-ca/ca.key')),
  );
  key = text('etcd-ca/etcd-server@m1.key');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  const names = ['-subj', '/O=ops/CN=www', '-addext', 'subjectAltName=DNS:www.example.net'];
  samples.request = execFileSync('openssl', ['req', '-new', ...curve, ...names, '-outform', 'DER'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
});

const kinds = ['certificate', 'list', 'request'] as const;
const labels = { certificate: 'CERTIFICATE', list: 'X509 CRL', request: 'CERTIFICATE REQUEST' } as const;

test.each(kinds)('a %s is known in DER and in PEM', (kind) => {
  expect(readContents(samples[kind], 'it')?.map((item) => item.kind)).toEqual([kind]);
  expect(
    readContents(Buffer.from(pemText(labels[kind], samples[kind])), 'it')?.map((item) => item.kind),
  ).toEqual([kind]);
});

test('of several in one file each is named; a key is only told', () => {
  const certificate = pemText('CERTIFICATE', samples.certificate);
  const items = readContents(Buffer.from(`words\n${certificate}${key}${certificate}`), 'f.pem') ?? [];
  expect(items.map(({ kind, where }) => [kind, where])).toEqual([
    ['certificate', 'f.pem, certificate 1'],
    ['key', 'f.pem'],
    ['certificate', 'f.pem, certificate 2'],
  ]);
  const body = key.split('\n')[1] ?? '';
  expect(body.length).toBeGreaterThan(40);
  expect(JSON.stringify(items)).not.toContain(body);
});

test('what is neither PEM nor DER is somebody else’s to read', () => {
  for (const text of ['', '0', '00', '0123456789 and more', 'kind: Secret\n', '{"kind": "List"}', '0x30']) {
    expect(readContents(Buffer.from(text), 'it')).toBeUndefined();
  }
});

describe('damaged input is a KbinError, or still a thing of its kind: never a crash', () => {
  const damage = (bytes: Buffer) =>
    fc
      .tuple(
        fc.array(fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: bytes.length }),
      )
      .map(([changes, length]) => {
        const damaged = Buffer.from(bytes.subarray(0, length));
        for (const { at, to } of changes) if (at < length) damaged[at] = to;
        return damaged;
      });

  const tried = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(KbinError);
    }
  };

  test.each(kinds)('%s', (kind) => {
    fc.assert(
      fc.property(damage(samples[kind]), (bytes) => {
        tried(() => readContents(bytes, 'it'));
        tried(() => readContents(Buffer.from(pemText(labels[kind], bytes)), 'it'));
      }),
      { numRuns: 150 },
    );
  });

  test('a revocation list that is cut short is none, wherever it is cut', () => {
    expect(readCrl(samples.list).revoked).toMatchObject([{ serial: '5A01', reason: 1 }]);
    for (let length = 1; length < samples.list.length; length++) {
      expect(() => readCrl(samples.list.subarray(0, length))).toThrow(RangeError);
    }
  });

  test('YAML and JSON', () => {
    const data = Buffer.from(pemText('CERTIFICATE', samples.certificate)).toString('base64');
    const texts = [
      `kind: Secret\nmetadata: { name: a }\ndata: { tls.crt: ${data} }\n`,
      JSON.stringify({ kind: 'List', items: [{ kind: 'Secret', data: { 'tls.crt': data } }] }),
      `kind: Config\nusers:\n  - { name: a, user: { client-certificate-data: ${data} } }\n`,
    ];
    for (const text of texts) {
      expect(readDocuments(text, 'it').map(({ kind }) => kind)).toEqual(['certificate']);
      fc.assert(
        fc.property(damage(Buffer.from(text)), (bytes) =>
          tried(() => readDocuments(bytes.toString('utf8'), 'it')),
        ),
        { numRuns: 60 },
      );
    }
  });

  test.each([
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n`,
    ],
    ['a tower of brackets', '['.repeat(20_000)],
    ['odd kinds', 'kind: SecretList\nitems: [null, 1, [], {kind: 7}, {kind: Secret, data: [1]}]\n'],
    ['a document that is nothing', '---\n---\nnull\n'],
  ])('%s', (_what, text) => tried(() => readDocuments(text, 'it')));
});

test.each([
  ['pkcs8', 'private key'],
  ['sec1', 'ec private key'],
] as const)('an elliptic key in DER (%s) is told, and nothing of it', (type, what) => {
  const der = createPrivateKey(key).export({ type, format: 'der' });
  expect(readContents(der, 'ca.key.der')).toEqual([{ kind: 'key', where: 'ca.key.der', what }]);
});

test.each([
  ['pkcs8', 'private key'],
  ['pkcs1', 'rsa private key'],
] as const)('an RSA key in DER (%s) is told; one that is cut short is no key', (type, what) => {
  const der = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type, format: 'der' });
  expect(readContents(der, 'it')).toEqual([{ kind: 'key', where: 'it', what }]);
  expect(() => readContents(der.subarray(0, -1), 'it')).toThrow('it cannot be read');
});

test('an encrypted key and a public key in DER are told', () => {
  const made = createPrivateKey(key);
  const closed = made.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'p' });
  const open = createPublicKey(made).export({ type: 'spki', format: 'der' });
  expect([closed, open].map((der) => readContents(der, 'it')?.[0])).toEqual([
    { kind: 'key', where: 'it', what: 'encrypted private key' },
    { kind: 'key', where: 'it', what: 'public key' },
  ]);
});
