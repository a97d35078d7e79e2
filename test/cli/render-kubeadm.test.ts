/** What `kbin render --for kubeadm` writes, given to the real kubeadm 1.20.2; the configuration of other minors by its fields. */
import { execFile } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { desire } from '../../src/desired/desire.ts';
import { kubeadmConfiguration } from '../../src/desired/kubeadm.ts';
import { exampleCluster, type Overrides } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { programFolder } from './transcript.ts';

let folder = '';
let kubeadm = '';
let program = '';
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kbin-kubeadm-')));
  const [release, built] = await Promise.all([kubernetesRelease(), programFolder()]);
  kubeadm = join(release, 'kubeadm');
  program = join(built, 'kbin');
  writeFileSync(
    join(folder, 'cluster.yaml'),
    `name: lab
hosts:
  - { name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }
  - { name: m2, address: 10.0.0.2, roles: [control-plane] }
etcd: { version: 3.4.23 }
kubernetes: { version: 1.20.2, apiserver: { flags: { max-requests-inflight: "500" } } }
endpoint: { address: 10.0.0.100, port: 16443 }
pki: { reserve: [10.0.0.3] }
`,
  );
  await run(program, 'pki', 'init');
  await run(program, 'render', '--for', 'kubeadm', '-o', 'out');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(file: string, ...argv: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 60_000 };
    execFile(file, argv, options, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`${file} ${argv.join(' ')}: ${stdout}${stderr}`));
    });
  });
}

/** The rendered folder of a host, with a configuration that points into it. */
function installed(host: string): { readonly at: string; readonly config: string } {
  const at = join(folder, 'out', host, 'etc/kubernetes');
  const text = readFileSync(join(folder, 'out', host, 'kubeadm-config.yaml'), 'utf8');
  const config = join(folder, `${host}.yaml`);
  writeFileSync(config, text.replaceAll('/etc/kubernetes', at));
  return { at, config };
}

const files = (host: string) =>
  readdirSync(join(folder, 'out', host), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'out', host).length + 1))
    .sort();

test.each(['m1', 'm2'])('the real kubeadm uses all that is there on %s', async (host) => {
  const { at, config } = installed(host);
  const before = contents(at);
  const certificates = await run(kubeadm, 'init', 'phase', 'certs', 'all', '--config', config);
  for (const name of ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client']) {
    expect(certificates).toContain(`Using existing ${name} certificate and key on disk`);
  }
  for (const name of ['ca', 'front-proxy-ca']) {
    expect(certificates).toContain(`Using existing ${name} certificate authority`);
  }
  expect(certificates).toContain('Using the existing "sa" key');
  expect(certificates).not.toContain('Generating');
  for (const name of ['admin', 'controller-manager', 'scheduler']) {
    const said = await run(
      kubeadm,
      ...['init', 'phase', 'kubeconfig', name, '--config', config, '--kubeconfig-dir', at],
    );
    expect(said).toContain('Using existing kubeconfig file');
    expect(said).not.toContain('unexpected');
  }
  expect(contents(at)).toEqual(before);
});

function contents(at: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );
}

test('kubeadm understands every field of the configuration', async () => {
  const { config } = installed('m1');
  const understood = join(folder, 'understood.yaml');
  const said = await run(kubeadm, 'config', 'migrate', '--old-config', config, '--new-config', understood);
  expect(said).not.toContain('unknown field');
  const [cluster, init] = parseAllDocuments(readFileSync(understood, 'utf8'))
    .map((document) => document.toJS())
    .sort((one, other) => one.kind.localeCompare(other.kind));
  const given = parseAllDocuments(readFileSync(config, 'utf8')).map((document) => document.toJS());
  expect(init).toMatchObject(given[0]);
  expect(cluster).toMatchObject(given[1]);
  expect(cluster.etcd.external.endpoints).toEqual(['https://10.0.0.1:2379']);
  expect(cluster.apiServer.extraArgs).toMatchObject({
    'max-requests-inflight': '500',
    'audit-log-path': '/var/log/kubernetes/audit.log',
    'tls-min-version': 'VersionTLS12',
  });
});

test('the tree is kubeadm’s, keys are closed, and the objects are those it would not make', () => {
  const tree = files('m1');
  expect(tree).toEqual(
    [
      'INSTALL.md',
      'kubeadm-config.yaml',
      'objects.json',
      ...['admin', 'controller-manager', 'scheduler'].map((name) => `etc/kubernetes/${name}.conf`),
      ...['encryption', 'audit-policy'].map((name) => `etc/kubernetes/kbin/${name}.yaml`),
      ...[
        ...['ca', 'front-proxy-ca', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-client'],
        'apiserver-etcd-client',
      ].flatMap((name) => [`etc/kubernetes/pki/${name}.crt`, `etc/kubernetes/pki/${name}.key`]),
      'etc/kubernetes/pki/sa.key',
      'etc/kubernetes/pki/sa.pub',
      'etc/kubernetes/pki/etcd/ca.crt',
    ].sort(),
  );
  const open = tree.filter((path) => (lstatSync(join(folder, 'out/m1', path)).mode & 0o077) !== 0);
  expect(open.filter((path) => /\.key$|\.conf$|encryption/.test(path))).toEqual([]);
  expect(files('m2')).not.toContain('objects.json');
  const { items } = JSON.parse(readFileSync(join(folder, 'out/m1/objects.json'), 'utf8'));
  expect(items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
    'kbin:kube-apiserver-to-kubelet',
  ]);
});

test('kubeconfigs: people go to the endpoint, components to their own apiserver', () => {
  const server = (name: string) =>
    parse(readFileSync(join(folder, 'out/m2/etc/kubernetes', name), 'utf8')).clusters[0].cluster.server;
  expect(server('admin.conf')).toBe('https://10.0.0.100:16443');
  expect(server('controller-manager.conf')).toBe('https://10.0.0.2:6443');
});

test('the other hosts join with the CA’s hash, as openssl has it', async () => {
  const guide = readFileSync(join(folder, 'out/m2/INSTALL.md'), 'utf8');
  const ca = join(folder, 'out/m2/etc/kubernetes/pki/ca.crt');
  const digest = await run(
    'sh',
    '-c',
    `openssl x509 -pubkey -noout -in '${ca}' | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1`,
  );
  expect(guide).toContain(
    `kubeadm join 10.0.0.100:16443 --control-plane --node-name m2 --apiserver-advertise-address 10.0.0.2 --apiserver-bind-port 6443 --discovery-token-ca-cert-hash sha256:${digest.trim()} --token "$TOKEN"`,
  );
  expect(guide).not.toContain('kubeadm init --config');
});

/** As far as it is looked at here. */
interface Documents {
  readonly apiVersion: string;
  readonly apiServer: {
    readonly extraArgs: unknown;
    readonly extraVolumes: readonly { readonly name: string }[];
  };
}

describe('the configuration by release', () => {
  const documents = (version: string, overrides: Overrides<Cluster> = {}) => {
    const cluster = exampleCluster({ ...overrides, kubernetes: { ...overrides.kubernetes, version } });
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const { components } = desire(cluster, host, { store: fullStore() });
    const argv = new Map(components.map(({ name, unit }) => [name, unit.process.argv]));
    return kubeadmConfiguration({ cluster, host, argv }) as readonly Documents[];
  };

  test.each([
    ['1.20.2', 'v1beta2'],
    ['1.21.14', 'v1beta2'],
    ['1.22.0', 'v1beta3'],
    ['1.30.9', 'v1beta3'],
    ['1.31.0', 'v1beta4'],
    ['1.36.0', 'v1beta4'],
  ])('%s reads %s', (version, api) => {
    for (const document of documents(version)) expect(document.apiVersion).toBe(`kubeadm.k8s.io/${api}`);
  });

  test('flags are a map up to v1beta3, and a list with repeats since', () => {
    const flags = { 'service-account-issuer': ['https://a', 'https://b'] };
    const own = { kubernetes: { components: { 'kube-apiserver': { flags } } } };
    expect(documents('1.30.0', own)[1]?.apiServer.extraArgs).toMatchObject({
      'service-account-issuer': 'https://a,https://b',
      'audit-log-maxage': '30',
    });
    const list = documents('1.34.1', own)[1]?.apiServer.extraArgs as { name: string }[];
    expect(list.filter(({ name }) => name === 'service-account-issuer')).toEqual([
      { name: 'service-account-issuer', value: 'https://a' },
      { name: 'service-account-issuer', value: 'https://b' },
    ]);
  });

  test('without encryption and audit there is nothing to mount', () => {
    const [, cluster] = documents('1.34.1', { kubernetes: { audit: undefined } });
    expect(cluster?.apiServer.extraVolumes.map(({ name }) => name)).toEqual(['kbin-encryption']);
  });

  test('no file of kbin’s own units is named, and every document is YAML of its own', () => {
    expect(JSON.stringify(documents('1.34.1'))).not.toContain('/etc/kubernetes/pki/kube-');
    const text = readFileSync(join(folder, 'out/m1/kubeadm-config.yaml'), 'utf8');
    expect(parseAllDocuments(text).map((document) => document.toJS().kind)).toEqual([
      'InitConfiguration',
      'ClusterConfiguration',
    ]);
  });
});

test('a cluster without Kubernetes, or on its way, has nothing to hand over', async () => {
  const other = join(folder, 'etcd-only.yaml');
  writeFileSync(
    other,
    'name: lab\netcd: { version: 3.4.23 }\nhosts:\n  - { name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }\n',
  );
  await expect(run(program, '-c', other, 'render', '--for', 'kubeadm', '-o', 'x')).rejects.toThrow(
    /no version of Kubernetes: set `kubernetes: \{version: …\}`/,
  );
});

test('keys of CAs that only have signed may be elsewhere; kubeadm signs with that of kubernetes-ca', async () => {
  const away = mkdtempSync(join(tmpdir(), 'kbin-safe-'));
  const move = (id: string) => renameSync(join(folder, 'pki', id, 'ca.key'), join(away, `${id}.key`));
  const bringBack = (id: string) => renameSync(join(away, `${id}.key`), join(folder, 'pki', id, 'ca.key'));
  try {
    move('front-proxy-ca');
    move('etcd-ca');
    await run(program, 'render', '--for', 'kubeadm', '-o', 'keyless');
    const pki = join(folder, 'keyless/m1/etc/kubernetes/pki');
    expect(readdirSync(pki).filter((name) => name.includes('ca.'))).toEqual([
      'ca.crt',
      'ca.key',
      'front-proxy-ca.crt',
    ]);
    move('kubernetes-ca');
    await expect(run(program, 'render', '--for', 'kubeadm', '-o', 'nothing')).rejects.toThrow(
      /kubeadm needs the key of kubernetes-ca[\s\S]*is not in .*pki/,
    );
    expect(readdirSync(folder)).not.toContain('nothing');
  } finally {
    for (const file of readdirSync(away)) bringBack(file.replace(/\.key$/, ''));
    rmSync(away, { recursive: true });
  }
});
