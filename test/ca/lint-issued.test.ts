/** Every certificate that kbin makes is held to the rules: whatever made it, whatever its key. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pathsOf } from '../../src/ca/layout.ts';
import { lint, type Role } from '../../src/ca/lint.ts';
import { takeApart } from '../../src/ca/lint-certificate.ts';
import { issueOneOff } from '../../src/ca/one-off.ts';
import { pemBlocks } from '../../src/ca/pem.ts';
import { openStore } from '../../src/ca/store.ts';
import { keyAlgorithms } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { cfssl, cfssljson, kbin, needCfssl, put, type Said } from '../cfssl/side-by-side.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { filledStore, init, temporaryFolder } from './stores.ts';

const planFor = (key: (typeof keyAlgorithms)[number]) =>
  certificatePlan(
    exampleCluster({
      // Large RSA keys take their time on a busy machine.
      hosts: [
        exampleHost('m1', '10.0.0.1'),
        ...(/^rsa-[34]/.test(key) ? [] : [exampleHost('m6', 'fd00::6', ['etcd'])]),
      ],
      pki: {
        key,
        subject: { C: 'AT', ST: 'Wien', L: 'Wien', O: 'Größe & Söhne', OU: 'Ops' },
        reserve: ['10.0.0.9', '*.later.example'],
        extraSans: { apiserver: ['https://api.example/x', 'ops@example.org', 'xn--mnchen-3ya.example'] },
      },
    }),
  );

function der(file: string): Buffer {
  const [block] = pemBlocks(readFileSync(file, 'utf8'), file);
  if (block === undefined) throw new Error(`${file} holds nothing`);
  return block.der;
}

const rolesOf = (usages: readonly string[]): Role[] => [
  ...(usages.includes('server auth') ? (['server'] as const) : []),
  ...(usages.includes('client auth') ? (['client'] as const) : []),
];

describe('kbin pki init', () => {
  test.each(keyAlgorithms)(
    '%s',
    async (key) => {
      const plan = planFor(key);
      const store = await filledStore(plan);
      for (const { id, leaves } of plan.authorities) {
        const ca = der(join(store.folder, pathsOf(id).certificate ?? ''));
        expect([id, lint(ca, { roles: ['ca'] })]).toEqual([id, []]);
        for (const leaf of leaves) {
          const made = der(join(store.folder, pathsOf(leaf.id).certificate ?? ''));
          const context = { roles: rolesOf(leaf.usages), issuer: takeApart(ca) };
          expect([leaf.id, lint(made, context)]).toEqual([leaf.id, []]);
        }
      }
    },
    240_000,
  );

  test('in 2031, with dates on both sides of 2050', async () => {
    const plan = planFor('ecdsa-p256');
    const store = await openStore(join(temporaryFolder(), 'pki'));
    await init(store, plan, new Date('2031-02-03T04:05:06Z'));
    for (const { id, leaves } of plan.authorities) {
      for (const one of [id, ...leaves.map((leaf) => leaf.id)]) {
        expect([one, lint(der(join(store.folder, pathsOf(one).certificate ?? '')))]).toEqual([one, []]);
      }
    }
  });
});

test.each(keyAlgorithms)('kbin kubeconfig, %s', async (key) => {
  const store = await filledStore(planFor('ecdsa-p256'));
  const subject = [
    { type: 'O', value: 'developers' },
    { type: 'CN', value: 'jane' },
  ] as const;
  const usages = ['signing', 'client auth'] as const;
  const request = { subject, usages, validityHours: 8, key, now: new Date() };
  const made = await issueOneOff(store, 'kubernetes-ca', request);
  const ca = takeApart(der(join(store.folder, 'kubernetes-ca/ca.crt')));
  expect(lint(made.der, { roles: ['client'], issuer: ca })).toEqual([]);
});

describe('cfssl’s commands', () => {
  const profiles = {
    peer: { usages: ['signing', 'server auth', 'client auth'], expiry: '8760h' },
    intermediate: {
      usages: ['cert sign', 'crl sign'],
      expiry: '8760h',
      ca_constraint: { is_ca: true, max_path_len: 0, max_path_len_zero: true },
    },
  };
  const keys = [
    { algo: 'ecdsa', size: 256 },
    { algo: 'ecdsa', size: 521 },
    { algo: 'rsa', size: 2048 },
  ];

  /** root.pem, renewed.pem, issuing.pem, peer.pem and signed.pem, of a program that takes cfssl's words. */
  async function make(
    program: (folder: string, args: readonly string[]) => Promise<Said>,
    key: object,
  ): Promise<string> {
    needCfssl();
    const folder = temporaryFolder();
    const names = [{ C: 'AT', L: 'Wien', O: 'Example', OU: 'Ops' }];
    put(folder, {
      'config.json': { signing: { default: { expiry: '8760h' }, profiles } },
      'root.json': { CN: 'root', names, key, ca: { expiry: '87600h', pathlen: 1 } },
      'issuing.json': { CN: 'issuing', key },
      'peer.json': { CN: 'node1', hosts: ['node1', '10.0.0.1', 'fd00::1'], names, key },
    });
    const bare = async (name: string, args: readonly string[]) =>
      cfssljson(folder, ['-bare', name], (await program(folder, args)).out);
    const by = (ca: string, profile: string) => [
      ...['-ca', `${ca}.pem`, '-ca-key', `${ca}-key.pem`],
      ...['-config', 'config.json', '-profile', profile],
    ];
    await bare('root', ['gencert', '-initca', 'root.json']);
    await bare('renewed', ['gencert', '-renewca', '-ca', 'root.pem', '-ca-key', 'root-key.pem']);
    await bare('issuing', ['gencert', ...by('root', 'intermediate'), 'issuing.json']);
    await bare('peer', ['gencert', ...by('issuing', 'peer'), 'peer.json']);
    await bare('signed', ['sign', ...by('root', 'peer'), 'peer.csr']);
    return folder;
  }

  const expected = { root: 'ca', renewed: 'ca', issuing: 'ca', peer: 'peer', signed: 'peer' } as const;
  const issuers: Readonly<Record<string, string>> = { issuing: 'root', peer: 'issuing', signed: 'root' };

  function findings(folder: string) {
    expect(readdirSync(folder).filter((name) => /(?<!-key)\.pem$/.test(name))).toHaveLength(5);
    return Object.entries(expected).flatMap(([name, role]) => {
      const issuer = issuers[name];
      const context = {
        roles: role === 'ca' ? (['ca'] as const) : (['server', 'client'] as const),
        ...(issuer === undefined ? {} : { issuer: takeApart(der(join(folder, `${issuer}.pem`))) }),
      };
      return lint(der(join(folder, `${name}.pem`)), context).map(({ rule }) => `${name}: ${rule}`);
    });
  }

  test.each(keys)('of kbin make nothing that breaks a rule ($algo $size)', async (key) => {
    expect(findings(await make(kbin, key))).toEqual([]);
  });

  test.each(keys)('and what the real one makes is taken too ($algo $size)', async (key) => {
    expect(findings(await make(cfssl, key))).toEqual([]);
  });

  test('selfsign', async () => {
    const folder = temporaryFolder();
    put(folder, { 'csr.json': { CN: 'try', hosts: ['try.example'], key: { algo: 'rsa', size: 2048 } } });
    await cfssljson(
      folder,
      ['-bare', 'try'],
      (await kbin(folder, ['selfsign', 'try.example', 'csr.json'])).out,
    );
    expect(lint(der(join(folder, 'try.pem')), { roles: ['server'] })).toEqual([]);
  });
});

test('what kubeadm makes has nothing that anybody refuses', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'kubeadm.yaml');
  writeFileSync(
    config,
    `apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: v1.20.2
certificatesDir: ${folder}/pki
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: 10.0.0.1 }
nodeRegistration: { name: m1 }
`,
  );
  const kubeadm = join(await kubernetesRelease(), 'kubeadm');
  execFileSync(kubeadm, ['init', 'phase', 'certs', 'all', '--config', config], { stdio: 'pipe' });
  const files = readdirSync(join(folder, 'pki'), { recursive: true, encoding: 'utf8' });
  const certificates = files.filter((name) => name.endsWith('.crt'));
  expect(certificates).toHaveLength(10);
  const found = certificates.flatMap((name) => lint(der(join(folder, 'pki', name))));
  expect(new Set(found.map(({ rule, severity }) => `${severity} ${rule}`))).toEqual(
    new Set(['warn serial-of-root', 'warn subject-key-id-advised']),
  );
});
