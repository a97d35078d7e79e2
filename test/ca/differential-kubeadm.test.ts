/** The same cluster through the real kubeadm 1.20.2: what it makes and kbin does not, and the other way round, is listed here. */
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { authorities } from '../../pki/index.ts';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { isIssuedBy } from '../../src/ca/chain.ts';
import { publicKeyBits } from '../../src/ca/der-read.ts';
import { inspectPem } from '../../src/ca/inspect.ts';
import { pathsOf } from '../../src/ca/layout.ts';
import { pemBlocks } from '../../src/ca/pem.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { kubeadmTree } from '../../src/cli/kubeadm-tree.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { filledStore, temporaryFolder } from './stores.ts';

let kubeadm = '';

beforeAll(async () => {
  kubeadm = join(await kubernetesRelease(), 'kubeadm');
}, 600_000);

/** kubeadm's name → kbin's; what they sign follows the CA. */
const pairs = (host: string): Readonly<Record<string, Readonly<Record<string, string>>>> => ({
  'kubernetes-ca': {
    ca: 'kubernetes-ca',
    apiserver: `apiserver@${host}`,
    'apiserver-kubelet-client': 'apiserver-kubelet-client',
  },
  'front-proxy-ca': { 'front-proxy-ca': 'front-proxy-ca', 'front-proxy-client': 'front-proxy-client' },
  'etcd-ca': {
    'etcd/ca': 'etcd-ca',
    'etcd/server': `etcd-server@${host}`,
    'etcd/peer': `etcd-peer@${host}`,
    'etcd/healthcheck-client': 'etcd-healthcheck-client',
    'apiserver-etcd-client': 'apiserver-etcd-client',
  },
});

interface Facts {
  subject: string[];
  issuer: string[];
  key: string;
  signature: string;
  isCa: boolean;
  usages: string[];
  /** With what type, and in their order. */
  sans: string[];
  criticals: string[];
  extensions: string[];
  seconds: number;
  serialOctets: number;
  /** `sha1`: of the key's bits (RFC 5280, 4.2.1.2, method 1). */
  subjectKeyId: 'sha1' | 'none' | 'other';
  authorityKeyId: 'of the CA' | 'none' | 'other';
}

/** Object identifiers that the list below speaks of. */
const names: Readonly<Record<string, string>> = {
  '2.5.29.14': 'subject key id',
  '2.5.29.15': 'key usage',
  '2.5.29.17': 'SANs',
  '2.5.29.19': 'basic constraints',
  '2.5.29.35': 'authority key id',
  '2.5.29.37': 'extended usage',
};

function factsOf(pem: string, caPem: string): Facts {
  const [info] = inspectPem(pem);
  const [ca] = inspectPem(caPem);
  if (info === undefined || ca === undefined) throw new Error('no certificate');
  const { extensions, serial, spki } = certificateParts(pemBlocks(pem, 'it')[0]?.der ?? Buffer.alloc(0));
  const own = createHash('sha1').update(publicKeyBits(spki)).digest('hex');
  const known = extensions.map(({ oid, critical }) => ({ name: names[oid] ?? oid, critical }));
  return {
    subject: info.subjectFields.map(({ type, value }) => `${type}=${value}`),
    issuer: info.issuerFields.map(({ type, value }) => `${type}=${value}`),
    ...{ key: info.key, signature: info.signature, isCa: info.isCa },
    usages: [...info.usages].sort(),
    sans: info.sans.map(({ type, value }) => `${type}:${value}`),
    criticals: known.flatMap(({ name, critical }) => (critical ? [name] : [])).sort(),
    extensions: known.map(({ name }) => name).sort(),
    seconds: (info.notAfter.getTime() - info.notBefore.getTime()) / 1000,
    serialOctets: serial.length,
    subjectKeyId: info.subjectKeyId === undefined ? 'none' : info.subjectKeyId === own ? 'sha1' : 'other',
    authorityKeyId:
      info.authorityKeyId === undefined
        ? 'none'
        : info.authorityKeyId === ca.subjectKeyId
          ? 'of the CA'
          : 'other',
  };
}

/** A difference that is meant: turns what kubeadm makes into what kbin makes. */
interface Difference {
  /** Found in docs/certificates.md. */
  readonly documented: string;
  readonly apply: (facts: Facts, id: string) => Partial<Facts>;
}

const without = (list: readonly string[], ...gone: readonly string[]): string[] =>
  list.filter((entry) => !gone.includes(entry));
const withEntry = (list: readonly string[], entry: string): string[] =>
  [...without(list, entry), entry].sort();

const differences: readonly Difference[] = [
  {
    documented: 'no client gets `O=system:masters` but `admin`',
    apply: ({ subject }) => ({ subject: without(subject, 'O=system:masters') }),
  },
  {
    documented: 'a CA signs certificates and CRLs, and nothing else',
    apply: ({ isCa }) => (isCa ? { usages: ['cert sign', 'crl sign'] } : {}),
  },
  {
    documented: 'a certificate for an elliptic-curve key does not claim key encipherment',
    apply: ({ key, usages, isCa }) =>
      key.startsWith('ecdsa') && !isCa ? { usages: without(usages, 'key encipherment') } : {},
  },
  {
    documented: 'a leaf says that it is no CA',
    apply: ({ isCa, extensions, criticals }) =>
      isCa
        ? {}
        : {
            extensions: withEntry(extensions, 'basic constraints'),
            criticals: withEntry(criticals, 'basic constraints'),
          },
  },
  {
    documented: 'a leaf has a subject key identifier',
    apply: ({ isCa, extensions }) =>
      isCa ? {} : { extensions: withEntry(extensions, 'subject key id'), subjectKeyId: 'sha1' },
  },
  { documented: 'serials have 20 octets', apply: () => ({ serialOctets: 20 }) },
  {
    documented: 'notBefore lies five minutes in the past',
    // Its leaves begin with their CA, whose key may have taken seconds to make.
    apply: ({ seconds }) => ({ seconds: Math.floor(seconds / 3600) * 3600 + 300 }),
  },
];

const sorted = (facts: Facts): Facts => ({ ...facts, sans: [...facts.sans].sort() });

interface Case {
  readonly cluster: Cluster;
  readonly config: (folder: string) => string;
  readonly host: string;
}

const caseOf = (key: 'ecdsa-p256' | 'rsa-2048'): fc.Arbitrary<Case> =>
  fc
    .record({
      name: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}[a-z0-9]$/),
      address: fc.tuple(fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 250 })),
      extra: fc.uniqueArray(fc.constantFrom('api.example.org', '192.0.2.7', '*.example.org', 'a.b.c'), {
        maxLength: 3,
      }),
      endpoint: fc.constantFrom('10.9.9.9', 'k8s.example.org'),
      domain: fc.constantFrom('cluster.local', 'k8s.internal'),
    })
    .map(({ name, address: [third, fourth], extra, endpoint, domain }) => {
      const address = `10.1.${third}.${fourth}`;
      // kubeadm has neither of these by itself in an apiserver's certificate.
      const sans = JSON.stringify([...extra, 'localhost', '127.0.0.1']);
      return {
        host: name,
        cluster: exampleCluster({
          hosts: [exampleHost(name, address)],
          endpoint: { address: endpoint },
          kubernetes: { dnsDomain: domain },
          pki: {
            key,
            reserve: [],
            validity: { ca: 10 * 8760, leaf: 8760 },
            extraSans: { apiserver: extra, 'etcd-server': extra, 'etcd-peer': extra },
          },
        }),
        config: (folder) =>
          [
            'apiVersion: kubeadm.k8s.io/v1beta2',
            'kind: InitConfiguration',
            `nodeRegistration: { name: ${name} }`,
            `localAPIEndpoint: { advertiseAddress: ${address} }`,
            '---',
            'apiVersion: kubeadm.k8s.io/v1beta2',
            'kind: ClusterConfiguration',
            'kubernetesVersion: v1.20.2',
            `certificatesDir: ${folder}`,
            `controlPlaneEndpoint: ${endpoint}:16443`,
            `apiServer: { certSANs: ${sans} }`,
            `etcd: { local: { serverCertSANs: ${JSON.stringify(extra)}, peerCertSANs: ${JSON.stringify(extra)} } }`,
            `networking: { serviceSubnet: 10.96.0.0/12, dnsDomain: ${domain} }`,
            `featureGates: { PublicKeysECDSA: ${key === 'ecdsa-p256'} }`,
            '',
          ].join('\n'),
      };
    });

const run = (...argv: readonly string[]): string =>
  execFileSync(kubeadm, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** kubeadm's own set, in a folder of its own. */
function kubeadmSet({ config }: Case): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.yaml'), config(join(folder, 'pki')));
  run('init', 'phase', 'certs', 'all', '--config', join(folder, 'config.yaml'));
  return join(folder, 'pki');
}

const read = (folder: string, name: string): string => readFileSync(join(folder, `${name}.crt`), 'utf8');

describe.each([
  ['ecdsa-p256', 5],
  ['rsa-2048', 3],
] as const)('%s', (key, numRuns) => {
  test('kubeadm’s certificates are kbin’s, but for what is listed', { timeout: 300_000 }, async () => {
    const used = new Set<Difference>();
    await fc.assert(
      fc.asyncProperty(caseOf(key), async (given) => {
        const theirs = kubeadmSet(given);
        const store = await filledStore(certificatePlan(given.cluster));
        for (const [authority, members] of Object.entries(pairs(given.host))) {
          const theirCa = read(theirs, Object.keys(members)[0] ?? '');
          const ourCa = pemOf(store, authority);
          for (const [name, id] of Object.entries(members)) {
            let expected = factsOf(read(theirs, name), theirCa);
            for (const difference of differences) {
              const changed = { ...expected, ...difference.apply(expected, id) };
              if (JSON.stringify(changed) !== JSON.stringify(expected)) used.add(difference);
              expected = changed;
            }
            expect([id, sorted(factsOf(pemOf(store, id), ourCa))]).toEqual([id, sorted(expected)]);
            const isSigned = isIssuedBy(
              new X509Certificate(read(theirs, name)),
              new X509Certificate(theirCa),
            );
            expect([name, isSigned]).toEqual([name, true]);
          }
        }
      }),
      { numRuns, seed: 2026, endOnFailure: true },
    );
    const idle = differences
      .filter((difference) => !used.has(difference))
      .map(({ documented }) => documented);
    // RSA keys do encipher keys.
    expect(idle).toEqual(key === 'rsa-2048' ? [differences[2]?.documented] : []);
  });

  test('kubeadm takes kbin’s certificates for its own, and tells when they end', {
    timeout: 60_000,
  }, async () => {
    const [given] = fc.sample(caseOf(key), { numRuns: 1, seed: 7 });
    const host = given?.cluster.hosts[0];
    if (given === undefined || host === undefined) throw new Error('no case');
    const store = await filledStore(certificatePlan(given.cluster));
    const folder = temporaryFolder();
    const tree = await kubeadmTree(given.cluster, store, host, 'whole');
    for (const { path, mode, bytes } of tree) {
      mkdirSync(dirname(join(folder, 'pki', path)), { recursive: true });
      writeFileSync(join(folder, 'pki', path), bytes, { mode });
    }
    const before = tree.map(({ path }) => readFileSync(join(folder, 'pki', path), 'utf8'));
    writeFileSync(join(folder, 'config.yaml'), given.config(join(folder, 'pki')));
    const said = run('init', 'phase', 'certs', 'all', '--config', join(folder, 'config.yaml'));
    const all = Object.values(pairs(given.host)).flatMap((members) => Object.keys(members));
    for (const name of all) {
      expect(said).toMatch(new RegExp(`Using existing ${name} certificate (and key on disk|authority)`));
    }
    expect(said).not.toContain('Generating');
    expect(tree.map(({ path }) => readFileSync(join(folder, 'pki', path), 'utf8'))).toEqual(before);
    const told = run('certs', 'check-expiration', '--config', join(folder, 'config.yaml'));
    for (const name of all.map((entry) => entry.replace('/', '-'))) {
      expect(told).toMatch(new RegExp(`^${name} .*no *$`, 'm'));
    }
  });

  test('kubeadm takes a CA whose key is kept elsewhere for an external one', {
    timeout: 60_000,
  }, async () => {
    const [given] = fc.sample(caseOf(key), { numRuns: 1, seed: 8 });
    const host = given?.cluster.hosts[0];
    if (given === undefined || host === undefined) throw new Error('no case');
    const store = await filledStore(certificatePlan(given.cluster));
    for (const { id } of authorities) rmSync(join(store.folder, id, 'ca.key'));
    const folder = temporaryFolder();
    const tree = await kubeadmTree(given.cluster, await openStore(store.folder), host, 'whole');
    for (const { path, mode, bytes } of tree) {
      mkdirSync(dirname(join(folder, 'pki', path)), { recursive: true });
      writeFileSync(join(folder, 'pki', path), bytes, { mode });
    }
    const paths = tree.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['ca.crt', 'front-proxy-ca.crt', 'etcd/ca.crt', 'apiserver.key']),
    );
    expect(paths.filter((path) => path.endsWith('ca.key'))).toEqual([]);
    writeFileSync(join(folder, 'config.yaml'), given.config(join(folder, 'pki')));
    const told = run('certs', 'check-expiration', '--config', join(folder, 'config.yaml'));
    for (const name of [
      'ca',
      'apiserver',
      'apiserver-kubelet-client',
      'front-proxy-ca',
      'front-proxy-client',
    ]) {
      // The last column: EXTERNALLY MANAGED.
      expect(told).toMatch(new RegExp(`^${name} .*yes *$`, 'm'));
    }
  });
});

test('the list is that of the documentation', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/certificates.md'), 'utf8');
  const section = text
    .slice(text.indexOf('## Where kbin differs from kubeadm on purpose'))
    .replaceAll(/\s+/g, ' ');
  for (const { documented } of differences) expect(section.toLowerCase()).toContain(documented.toLowerCase());
});

function pemOf({ folder }: Store, id: string): string {
  return readFileSync(join(folder, pathsOf(id).certificate ?? ''), 'utf8');
}
