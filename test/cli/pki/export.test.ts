/** What `kbin pki export` writes, given to the real kubeadm 1.20.2 and to openssl. */
import { execFile } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubernetesRelease } from '../../health/kubernetes-release.ts';
import { programFolder } from '../transcript.ts';

let folder = '';
let kubeadm = '';
let program = '';
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kbin-export-')));
  const [release, built] = await Promise.all([kubernetesRelease(), programFolder()]);
  kubeadm = join(release, 'kubeadm');
  program = join(built, 'kbin');
  writeFileSync(
    join(folder, 'cluster.yaml'),
    `name: lab
hosts:
  - { name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }
etcd: { version: 3.4.23 }
kubernetes: { version: 1.20.2 }
`,
  );
  await run(program, 'pki', 'init');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(file: string, ...argv: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HOME: folder, KBIN_NODE: process.execPath, KBIN_PKCS12_PASSWORD: 'secret' };
    execFile(file, argv, { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`${file} ${argv.join(' ')}: ${stdout}${stderr}`));
    });
  });
}

test('the real kubeadm uses the whole tree, etcd’s certificates among it, and lists when each ends', {
  timeout: 60_000,
}, async () => {
  await run(program, 'pki', 'export', 'm1', '--format', 'kubeadm', '-o', 'k8s/pki');
  const config = join(folder, 'kubeadm.yaml');
  writeFileSync(
    config,
    `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: 10.0.0.1 }
nodeRegistration: { name: m1 }
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: 1.20.2
certificatesDir: ${folder}/k8s/pki
networking: { serviceSubnet: 10.96.0.0/12 }
`,
  );
  const contents = () =>
    Object.fromEntries(
      readdirSync(join(folder, 'k8s/pki'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path, readFileSync(path, 'latin1')]),
    );
  const before = contents();
  const said = await run(kubeadm, 'init', 'phase', 'certs', 'all', '--config', config);
  const certificates = [
    'apiserver',
    'apiserver-kubelet-client',
    'front-proxy-client',
    'apiserver-etcd-client',
  ];
  for (const name of [...certificates, 'etcd/server', 'etcd/peer', 'etcd/healthcheck-client']) {
    expect(said).toContain(`Using existing ${name} certificate and key on disk`);
  }
  for (const name of ['ca', 'front-proxy-ca', 'etcd/ca']) {
    expect(said).toContain(`Using existing ${name} certificate authority`);
  }
  expect(said).toContain('Using the existing "sa" key');
  expect(said).not.toMatch(/Generating|WARNING|not/);
  expect(contents()).toEqual(before);

  const listed = await run(
    kubeadm,
    'certs',
    'check-expiration',
    '--config',
    config,
    '--cert-dir',
    join(folder, 'k8s/pki'),
  );
  for (const name of [
    'apiserver',
    'apiserver-etcd-client',
    'etcd-server',
    'etcd-peer',
    'etcd-healthcheck-client',
    'front-proxy-client',
  ]) {
    expect(listed).toMatch(new RegExp(`^${name} +\\w{3} \\d\\d, \\d{4} .* no`, 'm'));
  }
  expect(listed).toMatch(/^etcd-ca +\w{3} \d\d, \d{4}/m);
});

test('PEM: openssl verifies the chain in the file itself, and the key belongs to it', async () => {
  expect(await run(program, 'pki', 'export', 'etcd-server@m1', '-o', 'server.pem')).toContain('wrote');
  const file = join(folder, 'server.pem');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await run('openssl', 'verify', '-x509_strict', '-CAfile', file, file)).toContain('OK');
  const [certificate, key] = await Promise.all([
    run('openssl', 'x509', '-in', file, '-noout', '-pubkey'),
    run('openssl', 'pkey', '-in', file, '-pubout'),
  ]);
  expect(certificate).toBe(key);
  await expect(run(program, 'pki', 'export', 'admin', '-o', 'server.pem')).rejects.toThrow('exists already');
});

test('of a CA only the certificate', async () => {
  const text = await run(program, 'pki', 'export', 'etcd-ca');
  expect(text).toBe(readFileSync(join(folder, 'pki/etcd-ca/ca.crt'), 'utf8'));
});

test.each([
  ['modern', []],
  ['legacy', ['--legacy']],
])('PKCS #12, %s: openssl reads it', async (name, options) => {
  await run(program, 'pki', 'export', 'admin', '--format', 'pkcs12', '-o', `${name}.p12`, ...options);
  expect(statSync(join(folder, `${name}.p12`)).mode & 0o777).toBe(0o600);
  const shown = await run(
    'openssl',
    'pkcs12',
    '-info',
    '-in',
    `${name}.p12`,
    '-passin',
    'pass:secret',
    '-noout',
  );
  expect(shown).toContain('Shrouded Keybag');
});
