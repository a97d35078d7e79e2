/**
 * Mutated PEM, DER, JSON and requests through everything that reads them: each gives a result or a KbinError, never
 * another error, never a hang, and never a certificate for a request whose signature does not hold.
 *
 *     node test/cfssl/fuzz.ts [count] [seed]
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { children, firstElement } from '../../src/ca/der-read.ts';
import { pemBlocks, pemText } from '../../src/ca/pem.ts';
import { type Authority, oneCertificate, readAuthority, readKey } from '../../src/cfssl/authority.ts';
import { bundle } from '../../src/cfssl/bundle.ts';
import { readCertificateRequest, readSubjectFile } from '../../src/cfssl/certificate-request.ts';
import { certificateInfo, requestInfo } from '../../src/cfssl/certinfo.ts';
import { chooseProfile, readConfig } from '../../src/cfssl/config.ts';
import { requestFromCertificate } from '../../src/cfssl/from-certificate.ts';
import { initAuthority, renewAuthority } from '../../src/cfssl/initca.ts';
import { keyPem } from '../../src/cfssl/key.ts';
import { makeRequest } from '../../src/cfssl/make-request.ts';
import { readAsked } from '../../src/cfssl/read-request.ts';
import { revocationList } from '../../src/cfssl/revocation-list.ts';
import { signCertificate } from '../../src/cfssl/sign.ts';
import { KbinError } from '../../src/errors.ts';

const now = new Date('2026-06-01T12:00:00Z');

const files = {
  config: JSON.stringify({
    signing: {
      default: { expiry: '8760h', usages: ['signing'], backdate: '1h' },
      profiles: {
        www: {
          usages: ['signing', 'server auth', 's/mime'],
          expiry: '1h30m',
          copy_extensions: true,
          ocsp_url: 'http://ocsp/',
          issuer_urls: ['http://issuer/'],
          crl_url: 'http://crl/',
          name_whitelist: '^[a-z.]+$',
          not_before: '2026-01-01T00:00:00Z',
          not_after: '2026-12-31T00:00:00+02:00',
          ca_constraint: { is_ca: true, max_path_len: 1 },
          policies: [{ ID: '1.2.3', Qualifiers: [{ Type: 'id-qt-cps', Value: 'http://cps' }] }],
          CSRWhitelist: { Subject: true, PublicKey: true, DNSNames: true },
        },
      },
    },
    auth_keys: { one: { type: 'standard', key: '00' } },
    remotes: { away: '127.0.0.1:1' },
  }),
  request: JSON.stringify({
    CN: 'www.example.com',
    hosts: [
      'www.example.com',
      '10.0.0.1',
      'fd00::1',
      'me@example.com',
      'http://h/p q?x#y',
      'Bob <bob@x.y>',
      '::ffff:1.2.3.4',
    ],
    key: { algo: 'ecdsa', size: 256 },
    names: [{ C: 'AT', O: 'Example', OU: 'Ä', E: 'x@y', OID: { '1.2.3.4': 'x' } }],
    ca: { expiry: '87600h', pathlen: 1, pathlenzero: false, backdate: '1m' },
    serialnumber: '7',
    crl_url: 'http://crl/',
    extensions: [{ Id: [1, 2, 3], Critical: true, Value: 'BQA=' }],
  }),
};

/** One key for all: none is what is tried here. */
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

interface Seeds {
  readonly certificate: string;
  readonly leaf: string;
  readonly csr: string;
  readonly key: string;
  readonly authority: Authority;
}

function seeds(): Seeds {
  const settings = { source: 'ca.json', now, remarks: [] };
  const { certificate } = initAuthority(readCertificateRequest(files.request, 'ca.json', []), key, settings);
  const text = keyPem(key);
  const authority = readAuthority(
    { text: certificate, name: 'ca.pem' },
    { text, name: 'ca-key.pem' },
    undefined,
  );
  const { ca: _, ...request } = readCertificateRequest(files.request, 'csr.json', []);
  const { asked, pem } = makeRequest(request, key, 'csr.json', []);
  const config = readConfig(files.config, 'config.json', []);
  const leaf = signCertificate({ asked, profile: config.default, config, now }, authority, []);
  return { certificate, leaf, csr: pem, key: text, authority };
}

/** mulberry32: the same seed, the same inputs. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

type Below = (below: number) => number;

function mutateBytes(bytes: Buffer, below: Below): Buffer {
  let out = Buffer.from(bytes);
  for (let turns = 1 + below(3); turns > 0 && out.length > 0; turns--) {
    const at = below(out.length);
    const kind = below(7);
    if (kind === 0) out[at] = below(256);
    else if (kind === 1) out[at] = (out[at] ?? 0) ^ (1 << below(8));
    else if (kind === 2) out = out.subarray(0, at);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + below(8))]);
    else if (kind === 4)
      out = Buffer.concat([out.subarray(0, at), Buffer.from([below(256)]), out.subarray(at)]);
    else if (kind === 5) {
      const part = out.subarray(at, at + below(40));
      out = Buffer.concat([out.subarray(0, at), part, out.subarray(at)]);
    } else out[at] = [0x80, 0xff, 0x00, 0x30, 0x84][below(5)] ?? 0;
  }
  return out;
}

/** Another type, another key, another number: what byte mutations seldom reach through the syntax. */
const odd: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    '',
    ' ',
    '1h',
    '-1h',
    '999999999h',
    'ü\u0000',
    '__proto__',
    '*',
    '@',
    '::',
    '%',
    '(',
    '(?i)a',
  ],
  ...[
    [],
    {},
    [null],
    [[]],
    { a: [] },
    'x'.repeat(5000),
    '9'.repeat(400),
    '1.'.repeat(300),
    '[::',
    'a@'.repeat(200),
    'http://[',
  ],
];

function mutateJson(text: string, below: Below): string {
  if (below(3) === 0) return mutateBytes(Buffer.from(text), below).toString('utf8');
  const whole = JSON.parse(text);
  for (let turns = 1 + below(2); turns > 0; turns--) {
    let place = whole;
    for (let depth = below(6); depth > 0; depth--) {
      const inner = Object.values(place).filter((value) => typeof value === 'object' && value !== null);
      if (inner.length === 0) break;
      place = inner[below(inner.length)];
    }
    const keys = Object.keys(place);
    const name = keys[below(keys.length)] ?? 'x';
    const value = structuredClone(odd[below(odd.length)]);
    const kind = below(3);
    if (kind === 0) delete place[name];
    else if (kind === 1) place[name] = value;
    else if (!Array.isArray(place)) place[below(2) === 0 ? name.toUpperCase() : '__proto__x'] = value;
  }
  return JSON.stringify(whole);
}

function mutatePem(pem: string, below: Below): string {
  if (below(3) === 0) return mutateBytes(Buffer.from(pem), below).toString('latin1');
  const [block] = pemBlocks(pem, 'the seed');
  return block === undefined ? pem : pemText(block.label, mutateBytes(block.der, below));
}

/** One reader each, and what it must not have let pass. */
function targets(made: Seeds): readonly ((below: Below) => Promise<void> | void)[] {
  const config = readConfig(files.config, 'config.json', []);
  const authorityOf = (text: string): Authority =>
    readAuthority({ text, name: 'ca' }, { text: made.key, name: 'key' }, undefined);
  return [
    (below) => {
      const read = readConfig(mutateJson(files.config, below), 'config.json', []);
      const profile = chooseProfile(read, 'www', []);
      const request = readCertificateRequest(files.request, 'csr.json', []);
      const { asked } = makeRequest({ ...request, ca: {} }, key, 'csr.json', []);
      new X509Certificate(signCertificate({ asked, profile, config: read, now }, made.authority, []));
    },
    (below) => {
      const request = readCertificateRequest(mutateJson(files.request, below), 'csr.json', []);
      const made = initAuthority(request, key, { source: 'csr.json', now, remarks: [] });
      new X509Certificate(made.certificate);
    },
    (below) => {
      const { ca: _, ...request } = readCertificateRequest(mutateJson(files.request, below), 'csr.json', []);
      const subject = readSubjectFile(
        mutateJson('{"CN":"a","names":[{"C":"AT"}]}', below),
        'subject.json',
        [],
      );
      const { asked } = makeRequest(request, key, 'csr.json', []);
      const pem = signCertificate(
        { asked, profile: config.default, config, now, subject },
        made.authority,
        [],
      );
      new X509Certificate(pem);
    },
    async (below) => {
      const pem = mutatePem(made.csr, below);
      const asked = await readAsked(pem, 'a.csr', []);
      // Only what is the seed's own signed content is signed with its key.
      const info = (text: string): string | undefined => {
        const { der } = pemBlocks(text, '')[0] ?? { der: Buffer.alloc(0) };
        return children(firstElement(der).content)[0]?.whole.toString('hex');
      };
      if (info(pem) !== info(made.csr)) throw new Error(`a request that was changed was taken: ${pem}`);
      signCertificate({ asked, profile: config.default, config, now }, made.authority, []);
    },
    async (below) => {
      await requestInfo(mutatePem(made.csr, below), 'a.csr');
    },
    (below) => {
      const text = mutatePem(below(2) === 0 ? made.leaf : made.certificate, below);
      const parts = oneCertificate({ text, name: 'a.pem' });
      certificateInfo(parts, 'a.pem');
      makeRequest(requestFromCertificate(parts), key, 'a.pem', []);
    },
    (below) => {
      const authority = authorityOf(mutatePem(made.certificate, below));
      if (authority.constraints === undefined) return;
      certificateParts(
        pemBlocks(renewAuthority(authority.parts, authority.key, now), '')[0]?.der ?? Buffer.alloc(0),
      );
      revocationList(
        { text: mutateBytes(Buffer.from('12\n345\n'), below).toString(), name: 's' },
        authority,
        '60',
        now,
      );
    },
    (below) => {
      const text = mutatePem(made.key, below);
      const read = readKey({ text, name: 'key' }, below(2) === 0 ? undefined : 'x');
      createPrivateKey(keyPem(read));
    },
    (below) => {
      const result = bundle({
        certificate: { text: mutatePem(made.leaf, below), name: 'leaf' },
        roots: [
          { text: below(2) === 0 ? made.certificate : mutatePem(made.certificate, below), name: 'root' },
        ],
        intermediates: [{ text: mutatePem(made.certificate, below), name: 'between' }],
        force: below(4) === 0,
        now,
      });
      JSON.stringify(result);
    },
  ];
}

/** Longest that one input may take, in milliseconds: far above what any does, far below what a person waits. */
const patience = 5000;

/** Runs `count` inputs; rejects with the first that gave anything but a result or a KbinError. */
export async function fuzz(count: number, seed: number): Promise<{ accepted: number; refused: number }> {
  const below = random(seed);
  const readers = targets(seeds());
  const tally = { accepted: 0, refused: 0 };
  for (let turn = 0; turn < count; turn++) {
    const started = process.cpuUsage();
    const reader = readers[turn % readers.length];
    try {
      await reader?.(below);
      tally.accepted += 1;
    } catch (error) {
      if (!(error instanceof KbinError)) throw new Error(`input ${turn} of seed ${seed}`, { cause: error });
      if (JSON.stringify([error.message, error.details]).includes('PRIVATE KEY-----')) {
        throw new Error(`input ${turn} of seed ${seed}: the error shows a key`, { cause: error });
      }
      tally.refused += 1;
    }
    if (process.cpuUsage(started).user / 1000 > patience)
      throw new Error(`input ${turn} of seed ${seed} took too long`);
  }
  return tally;
}

if (import.meta.main) {
  const [count = '100000', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
  const { accepted, refused } = await fuzz(Number(count), Number(seed));
  process.stdout.write(
    `fuzz: ${count} inputs of seed ${seed}: ${accepted} accepted, ${refused} refused, none crashed\n`,
  );
}
