import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { children, firstElement } from '../../src/ca/der-read.ts';
import { pemBlocks } from '../../src/ca/pem.ts';
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

import { mutateBytes, mutateJson, mutatePem, type Target } from './mutate.ts';

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

/** What reads cfssl's files: one reader each, and what it must not have let pass. */
export function cfsslTargets(): readonly Target[] {
  const made = seeds();
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
