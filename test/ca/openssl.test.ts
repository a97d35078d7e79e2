import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pathsOf } from '../../src/ca/layout.ts';
import type { Store } from '../../src/ca/store.ts';
import { openStore } from '../../src/ca/store.ts';
import type { KeyAlgorithm } from '../../src/cluster/cluster.ts';
import type { PlannedLeaf } from '../../src/desired/certificate-plan.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { filledStore, init, temporaryFolder } from './stores.ts';

const planFor = (key: KeyAlgorithm) =>
  certificatePlan(
    exampleCluster({
      hosts: [exampleHost('m1', '10.0.0.1'), exampleHost('m6', 'fd00::6', ['etcd'])],
      pki: {
        key,
        subject: { C: 'AT', O: 'Größe & Söhne', OU: 'Ops' },
        reserve: ['10.0.0.9', '*.later.example'],
      },
    }),
  );

const openssl = (...argv: readonly string[]): string => execFileSync('openssl', argv, { encoding: 'utf8' });

/** What openssl calls the usages. */
const purposes = { 'server auth': 'sslserver', 'client auth': 'sslclient' } as const;

/** One process for each name that is checked, so not with every type of key. */
function verify(store: Store, leaf: PlannedLeaf, names: boolean): void {
  const ca = join(store.folder, pathsOf(leaf.authority).certificate ?? '');
  const file = join(store.folder, pathsOf(leaf.id).certificate ?? '');
  for (const [usage, purpose] of Object.entries(purposes)) {
    const argv = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', ca];
    if ((leaf.usages as readonly string[]).includes(usage)) {
      expect(openssl(...argv, file)).toBe(`${file}: OK\n`);
      for (const { type, value } of names ? leaf.sans : []) {
        const concrete = value.replace('*', 'any');
        expect(openssl(...argv, type === 'ip' ? '-verify_ip' : '-verify_hostname', concrete, file)).toContain(
          'OK',
        );
      }
    } else {
      expect(() => execFileSync('openssl', [...argv, file], { stdio: 'pipe' })).toThrow(/purpose/);
    }
  }
}

function samePublicKey(store: Store, id: string): void {
  const { certificate, key } = pathsOf(id);
  const ofKey = openssl('pkey', '-in', join(store.folder, key), '-pubout');
  expect(openssl('x509', '-in', join(store.folder, certificate ?? ''), '-noout', '-pubkey')).toBe(ofKey);
}

describe('openssl agrees', () => {
  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const)(
    'with every certificate and key of type %s',
    async (key) => {
      const plan = planFor(key);
      const store = await filledStore(plan);
      for (const authority of plan.authorities) {
        const ca = join(store.folder, pathsOf(authority.id).certificate ?? '');
        expect(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', ca, ca)).toBe(`${ca}: OK\n`);
        samePublicKey(store, authority.id);
        for (const leaf of authority.leaves) {
          verify(store, leaf, key === 'ecdsa-p256');
          samePublicKey(store, leaf.id);
        }
      }
      const pair = join(store.folder, 'service-account');
      expect(openssl('pkey', '-in', `${pair}/sa.key`, '-pubout')).toBe(
        readFileSync(`${pair}/sa.pub`, 'utf8'),
      );
    },
    60_000,
  );

  test('with the extensions, their order, their criticality and the names', async () => {
    const store = await filledStore(planFor('rsa-2048'));
    const text = openssl(
      'x509',
      '-in',
      join(store.folder, 'etcd-ca/etcd-server@m6.crt'),
      '-noout',
      '-text',
      '-certopt',
      'no_pubkey,no_sigdump,no_validity,no_serial,no_signame',
      '-nameopt',
      'RFC2253,sep_comma_plus_space,-esc_msb,utf8',
    );
    const hex = (part: string): string => part.replaceAll(/(?:[0-9A-F]{2}:){19}[0-9A-F]{2}/g, '(20 octets)');
    expect(hex(text)).toBe(`Certificate:
    Data:
        Version: 3 (0x2)
        Issuer: CN=etcd-ca, OU=Ops, O=Größe & Söhne, C=AT
        Subject: CN=m6, OU=Ops, O=Größe & Söhne, C=AT
        X509v3 extensions:
            X509v3 Key Usage: critical
                Digital Signature, Key Encipherment
            X509v3 Extended Key Usage: 
                TLS Web Server Authentication, TLS Web Client Authentication
            X509v3 Basic Constraints: critical
                CA:FALSE
            X509v3 Subject Key Identifier: 
                (20 octets)
            X509v3 Authority Key Identifier: 
                (20 octets)
            X509v3 Subject Alternative Name: 
                DNS:m6, DNS:localhost, IP Address:FD00:0:0:0:0:0:0:6, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.9, DNS:*.later.example
`);
  });

  test('with a 20-octet positive serial, and with dates on both sides of 2050', async () => {
    const store = await openStore(join(temporaryFolder(), 'pki'));
    await init(store, planFor('ecdsa-p256'), new Date('2031-02-03T04:05:06Z'));
    const parse = openssl('asn1parse', '-in', join(store.folder, 'etcd-ca/ca.crt'));
    expect(parse).toMatch(/l=\s+20 prim: INTEGER\s+:[4-7][0-9A-F]{39}$/m);
    expect(parse).toContain(':310203040006Z');
    expect(parse).toMatch(/prim: UTCTIME\s+:310203040006Z/);
    expect(parse).toMatch(/prim: GENERALIZEDTIME\s+:20510129040506Z/);
  });

  test('with what a foreign CA signs: its name and key identifier are copied as they are', async () => {
    const plan = planFor('ecdsa-p256');
    const store = await openStore(join(temporaryFolder(), 'pki'));
    for (const { id } of plan.authorities) foreignCa(join(store.folder, id));
    const { applied, notes } = await init(store, plan);
    expect(applied.filter(({ kind }) => kind === 'authority').map(({ action }) => action)).toEqual(
      // Only what kbin itself adds beside the key: the digest file.
      ['repair', 'repair', 'repair'],
    );
    expect(notes.map(({ message }) => message)).toContain(
      'etcd-ca stays as it is: its key is rsa-3072, cluster.yaml says ecdsa-p256; an existing CA is never replaced',
    );
    for (const leaf of plan.authorities.flatMap(({ leaves }) => leaves)) verify(store, leaf, false);
    const leaf = openssl('x509', '-in', join(store.folder, 'etcd-ca/etcd-peer@m1.crt'), '-noout', '-text');
    expect(leaf).toContain('DE:AD:BE:EF');
    expect(leaf).toContain('sha384WithRSAEncryption');
    expect((await init(store, plan)).applied).toEqual([]);
  }, 60_000);
});

/** As companies have them: another key type, T61 and UTF-8 strings in the name, two OUs, a key identifier of its own. */
function foreignCa(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'openssl.cnf');
  writeFileSync(
    config,
    `[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
string_mask = pkix
utf8 = yes
[dn]
C = DE
0.OU = Zertifikate
1.OU = Prüfung, "A+B"
O = Müller GmbH
CN = Root=1
[ext]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = DEADBEEF
`,
  );
  const argv = ['req', '-x509', '-newkey', 'rsa:3072', '-noenc', '-days', '900', '-config', config];
  execFileSync('openssl', [...argv, '-keyout', join(folder, 'ca.key'), '-out', join(folder, 'ca.crt')], {
    stdio: 'pipe',
  });
}
