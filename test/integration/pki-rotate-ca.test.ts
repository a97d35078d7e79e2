/** The three CAs replaced on a live cluster, phase by phase, while clients write all the time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Rotated } from '../../src/cli/pki/rotate-report.ts';
import { trustedPem } from '../../src/desired/from-store.ts';
import type { EtcdCredentials } from '../../src/health/target.ts';
import { programFolder } from '../cli/transcript.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { ApiWriter } from './api-writer.ts';
import { ControlPlane } from './control-plane.ts';
import { execute, type Run } from './execute.ts';
import { type Retrying, Writer } from './writer.ts';

const names = ['node1', 'node2', 'node3'];
const masters = ['node1', 'node2'];

let lab: Lab;
let plane: ControlPlane;

beforeAll(async () => {
  lab = await startHosts({ names });
  plane = await ControlPlane.create(lab, {
    roles: (host) => (masters.includes(host) ? ['etcd', 'control-plane'] : ['etcd']),
    // So long a 1.20 waits for watches when it is told to stop: only the tests' patience is short.
    kubernetes: 'apiserver: { flags: { request-timeout: 5s } }',
  });
  await plane.deploy();
  await plane.deployControlPlane();
}, 400_000);
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

/** What `kbin pki rotate` says of the phase that it brought; it must have succeeded. */
async function rotate(...argv: string[]): Promise<Rotated> {
  return JSON.parse(await plane.kbinDoes('pki', 'rotate', ...argv, '--json')) as Rotated;
}

const file = (path: string): Promise<string> => readFile(join(plane.folder, 'pki', path), 'utf8');

/** Runs `work` while they write: no write may have found every door closed. */
async function whileWriting<T>(writers: readonly Retrying[], work: () => Promise<T>): Promise<T> {
  for (const writer of writers) writer.start();
  const result = await work();
  await Promise.all(writers.map((writer) => writer.stop()));
  for (const writer of writers) {
    expect(writer.outages).toEqual([]);
    expect(writer.written).toBeGreaterThan(0);
  }
  return result;
}

async function etcdWriter(credentials: EtcdCredentials): Promise<Writer> {
  return new Writer(await plane.targets(), credentials);
}

/** A client's certificate and key as they are in pki/ now, with what it is to trust. */
async function clientOf(authority: string, id: string, ca: string) {
  return { ca, cert: await file(`${authority}/${id}.crt`), key: await file(`${authority}/${id}.key`) };
}

/** A lease that its holder was restarted with may still have to run out. */
async function untilVerified(): Promise<void> {
  await until(
    'kbin verify finds nothing',
    async (saw) => {
      const { code, stdout, stderr } = await plane.kbin('verify');
      return code === 0 || saw(stdout.replaceAll(/^pass .*\n/gm, '') + stderr);
    },
    { timeoutMs: 60_000, everyMs: 1000 },
  );
}

/** openssl as a client, which ends at once when the server's certificate does not verify. */
async function openssl(
  address: string,
  { ca, cert, key }: { readonly ca: string; readonly cert?: string; readonly key?: string },
): Promise<Run> {
  const [caFile, certFile, keyFile] = ['ca', 'cert', 'key'].map((name) =>
    join(plane.folder, `s_client-${name}`),
  );
  await writeFile(caFile ?? '', ca);
  await writeFile(certFile ?? '', cert ?? '');
  await writeFile(keyFile ?? '', key ?? '');
  const client = cert === undefined ? '' : `-cert ${certFile} -key ${keyFile}`;
  // The server says what it thinks of a client's certificate only after the handshake (TLS 1.3), so it is asked something.
  const asked = `(printf 'GET /version HTTP/1.0\\r\\n\\r\\n'; sleep 1) | openssl s_client -connect ${address} -CAfile ${caFile} ${client} -verify_return_error -quiet 2>&1`;
  return execute('sh', ['-c', asked]);
}

const answers = ({ stdout }: Run): boolean => /HTTP\/1\.\d (200|403)/.test(stdout);

test('etcd-ca: every member, every client, and nobody notices', { timeout: 600_000 }, async () => {
  const old = await file('etcd-ca/ca.crt');
  const before = await clientOf('etcd-ca', 'etcd-healthcheck-client', old);

  const trusted = await whileWriting([await etcdWriter(before), await plane.apiWriter('etcd-trust')], () =>
    rotate('etcd-ca'),
  );
  expect(trusted).toMatchObject({ rotation: 'etcd-ca', phase: 'trust', changed: true, next: 'issue' });
  expect(trusted.hosts.map(({ host, phase, proven }) => [host, phase, proven])).toEqual(
    names.map((name) => [name, 'trust', true]),
  );
  const bundle = trustedPem((await plane.store()).view(), 'etcd-ca');

  // Old credentials, and both CAs: what everyone has between the phases.
  const issued = await whileWriting(
    [await etcdWriter({ ...before, ca: bundle }), await plane.apiWriter('etcd-issue')],
    () => rotate('etcd-ca'),
  );
  expect(issued).toMatchObject({ phase: 'issue', next: 'rest' });
  const young = await file('etcd-ca/ca.crt');
  expect(young).not.toBe(old);
  const after = await clientOf('etcd-ca', 'etcd-healthcheck-client', young);
  for (const name of names) {
    const { address } = lab.host(name);
    for (const port of [2379, 2380]) {
      expect(answers(await openssl(`${address}:${port}`, { ...before, ca: young })), `${name}:${port}`).toBe(
        true,
      );
      expect(answers(await openssl(`${address}:${port}`, { ...after, ca: old })), `${name}:${port}`).toBe(
        false,
      );
    }
  }

  const ended = await whileWriting([await etcdWriter(after), await plane.apiWriter('etcd-drop')], () =>
    rotate('etcd-ca'),
  );
  expect(ended).toMatchObject({ phase: 'rest', changed: true });
  for (const name of names) {
    const { address } = lab.host(name);
    for (const port of [2379, 2380]) {
      expect(answers(await openssl(`${address}:${port}`, after)), `${name}:${port}`).toBe(true);
      expect(answers(await openssl(`${address}:${port}`, { ...before, ca: young })), `${name}:${port}`).toBe(
        false,
      );
    }
    expect(await lab.host(name).run('cat', '/etc/etcd/pki/ca.crt')).toBe(young);
  }
  // The one that has just ended is not begun again by a run too many.
  expect(await rotate('etcd-ca')).toMatchObject({ phase: 'rest', changed: false });
  await untilVerified();
});

/** The administrator's kubeconfig as it lies on a host now, kept under another name. */
async function keptAdminConf(name: string): Promise<string> {
  const kept = join(plane.folder, name);
  await writeFile(kept, await lab.host('node1').run('cat', '/etc/kubernetes/admin.conf'), { mode: 0o600 });
  return kept;
}

/** Has kube-controller-manager sign a client's certificate, and returns it. */
async function signedByKubernetes(kubeconfig: string, name: string): Promise<string> {
  const key = join(plane.folder, `${name}.key`);
  const made = await execute('openssl', [
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', key, '-subj', `/CN=${name}`],
  ]);
  const csr = join(plane.folder, `${name}.json`);
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(made.stdout).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  };
  await writeFile(csr, JSON.stringify(request));
  await plane.kubectlAs(kubeconfig, 'create', '-f', csr);
  await plane.kubectlAs(kubeconfig, 'certificate', 'approve', name);
  const asked = ['get', 'csr', name, '-o', 'jsonpath={.status.certificate}'];
  let found = '';
  await until('the certificate is signed', async (saw) => {
    found = await plane.kubectlAs(kubeconfig, ...asked);
    return found !== '' || saw('nothing');
  });
  return Buffer.from(found, 'base64').toString('utf8');
}

async function verifies(certificate: string, ca: string): Promise<boolean> {
  const [leaf, authority] = [join(plane.folder, 'verify-leaf'), join(plane.folder, 'verify-ca')];
  await writeFile(leaf, certificate);
  await writeFile(authority, ca);
  return (await execute('openssl', ['verify', '-CAfile', authority, leaf])).code === 0;
}

/** What Kubernetes hands to those inside: by object, the bundle. */
async function publishedBundles(kubeconfig: string): Promise<Record<string, string>> {
  const get = (...argv: string[]) => plane.kubectlAs(kubeconfig, 'get', ...argv);
  const [secret] = (
    await get(
      'secrets',
      '-n',
      'default',
      '-o',
      'name',
      '--field-selector',
      'type=kubernetes.io/service-account-token',
    )
  ).split('\n');
  const inSecret = await get('-n', 'default', secret ?? '', '-o', 'jsonpath={.data.ca\\.crt}');
  const extension = ['-n', 'kube-system', 'cm', 'extension-apiserver-authentication', '-o'];
  return {
    root: await get('-n', 'default', 'cm', 'kube-root-ca.crt', '-o', 'jsonpath={.data.ca\\.crt}'),
    secret: Buffer.from(inSecret, 'base64').toString('utf8'),
    clients: await get(...extension, 'jsonpath={.data.client-ca-file}'),
    headers: await get(...extension, 'jsonpath={.data.requestheader-client-ca-file}'),
  };
}

/** One form whatever the spaces at the end. */
const count = (bundle: string | undefined, ca: string): number => (bundle ?? '').split(ca.trim()).length - 1;

test('kubernetes-ca: kubectl of before works to the end, and what depends on the old CA is named', {
  timeout: 900_000,
}, async () => {
  const old = await file('kubernetes-ca/ca.crt');
  const before = await clientOf('kubernetes-ca', 'admin', old);
  const writer = async (credentials: typeof before, name: string) =>
    new ApiWriter(await plane.apiTargets(), credentials, name);
  await plane.kbinDoes('kubeconfig', 'jane', '--valid', '8h', '-o', 'jane.conf');
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker1' } };
  await writeFile(join(plane.folder, 'node.json'), JSON.stringify(node));
  const first = await keptAdminConf('admin-before.conf');
  await plane.kubectlAs(first, 'create', '-f', join(plane.folder, 'node.json'));

  const trusted = await whileWriting([await writer(before, 'kubernetes-trust')], () =>
    rotate('kubernetes-ca'),
  );
  expect(trusted).toMatchObject({ phase: 'trust', next: 'issue' });
  expect(trusted.hosts.map(({ host, phase, proven }) => [host, phase, proven])).toEqual(
    masters.map((name) => [name, 'trust', true]),
  );
  const next = await file('next/kubernetes-ca/ca.crt');
  const kept = await keptAdminConf('admin-trust.conf');
  const published = await publishedBundles(kept);
  for (const of of ['root', 'secret', 'clients']) {
    expect([count(published[of], old), count(published[of], next)], of).toEqual([1, 1]);
  }

  // A kubeconfig that does not know the new CA, and a node: each by its name, and nothing is changed.
  const blind = await plane.kbin('pki', 'rotate', 'kubernetes-ca');
  expect(blind).toMatchObject({ code: 1, stderr: expect.stringContaining('CN=jane') });
  const nodes = await plane.kbin('pki', 'rotate', 'kubernetes-ca', '--drop-unexpired', 'issue');
  expect(nodes).toMatchObject({ code: 1, stderr: expect.stringContaining('worker1') });
  expect(await file('next/kubernetes-ca/ca.crt')).toBe(next);
  expect(await plane.kbinDoes('plan')).toContain('kubernetes-ca is under way, in the phase trust');

  const bundle = trustedPem((await plane.store()).view(), 'kubernetes-ca');
  await whileWriting([await writer({ ...before, ca: bundle }, 'kubernetes-issue')], () =>
    rotate('kubernetes-ca', '--drop-unexpired', 'issue', '--nodes-ready', 'issue'),
  );
  const young = await file('kubernetes-ca/ca.crt');
  expect(young).toBe(next);
  const after = await clientOf('kubernetes-ca', 'admin', young);
  expect(await plane.tryKubectlAs(kept, 'get', 'namespaces')).toMatchObject({ code: 0 });
  expect(await plane.tryKubectlAs(first, 'get', 'namespaces')).toMatchObject({ code: 1 });
  expect(await verifies(await signedByKubernetes(kept, 'asked-for'), young)).toBe(true);
  for (const name of masters) {
    const address = `${lab.host(name).address}:6443`;
    expect(answers(await openssl(address, { ...before, ca: young })), name).toBe(true);
    expect(answers(await openssl(address, { ...after, ca: old })), name).toBe(false);
  }

  await plane.kbinDoes('kubeconfig', 'joan', '--valid', '8h', '-o', 'joan.conf');
  const handedOut = await plane.kbin('pki', 'rotate', 'kubernetes-ca', '--nodes-ready', 'end');
  expect(handedOut).toMatchObject({ code: 1, stderr: expect.stringContaining('CN=jane') });
  expect(handedOut.stderr).not.toContain('CN=joan');

  const ended = await whileWriting([await writer(after, 'kubernetes-drop')], () =>
    rotate('kubernetes-ca', '--drop-unexpired', 'end', '--nodes-ready', 'end'),
  );
  expect(ended).toMatchObject({ phase: 'rest' });
  const last = await keptAdminConf('admin-after.conf');
  expect(await plane.tryKubectlAs(last, 'get', 'namespaces')).toMatchObject({ code: 0 });
  expect(await plane.tryKubectlAs(kept, 'get', 'namespaces')).toMatchObject({ code: 1 });
  expect(await plane.tryKubectlAs(join(plane.folder, 'joan.conf'), 'version')).toMatchObject({ code: 0 });
  expect(await plane.tryKubectlAs(join(plane.folder, 'jane.conf'), 'version')).toMatchObject({ code: 1 });
  for (const name of masters) {
    const address = `${lab.host(name).address}:6443`;
    expect(answers(await openssl(address, after)), name).toBe(true);
    expect(answers(await openssl(address, { ...before, ca: young })), name).toBe(false);
  }
  const left = await publishedBundles(last);
  for (const of of ['root', 'secret', 'clients']) {
    expect([count(left[of], old), count(left[of], young)], of).toEqual([0, 1]);
  }
});

/** Starts `kbin ARGV` and kills it as soon as it says what fits the pattern. */
async function killedAt(pattern: RegExp, ...argv: string[]): Promise<void> {
  const child = spawn(join(await programFolder(), 'kbin'), argv, {
    cwd: plane.folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
    if (pattern.test(said)) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal, said).toBe('SIGKILL');
}

test('front-proxy-ca: killed in the middle, a host that is down, and on', { timeout: 900_000 }, async () => {
  const old = await file('front-proxy-ca/ca.crt');
  const writer = await plane.apiWriter('front-proxy');
  await whileWriting([writer], async () => {
    await killedAt(/node1 .*restarting/, 'pki', 'rotate', 'front-proxy-ca');
    const next = await file('next/front-proxy-ca/ca.crt');
    const cut = await plane.kbin('pki', 'rotate', 'status', 'front-proxy-ca', '--json');
    expect(cut.code).toBe(3);
    expect(JSON.parse(cut.stdout)).toMatchObject([
      { rotation: 'front-proxy-ca', phase: 'trust', proven: false },
    ]);
    expect(await rotate('front-proxy-ca')).toMatchObject({ phase: 'trust', changed: true });
    expect(await file('next/front-proxy-ca/ca.crt')).toBe(next);

    await lab.host('node2').run('systemctl', 'stop', 'ssh.service', 'ssh.socket');
    const down = await plane.kbin('pki', 'rotate', 'front-proxy-ca');
    expect(down).toMatchObject({ code: 1, stderr: expect.stringContaining('node2') });
    expect(await file('front-proxy-ca/ca.crt')).toBe(old);
    expect(await plane.kbin('pki', 'rotate', 'status', 'front-proxy-ca')).toMatchObject({ code: 1 });
    await lab.host('node2').run('systemctl', 'start', 'ssh.service');

    expect(await rotate('front-proxy-ca')).toMatchObject({ phase: 'issue' });
    await killedAt(/node1 .*restarting/, 'pki', 'rotate', 'front-proxy-ca');
    expect(await rotate('front-proxy-ca')).toMatchObject({ phase: 'rest', changed: true });
  });
  const { headers } = await publishedBundles(await keptAdminConf('admin-end.conf'));
  expect([count(headers, old), count(headers, await file('front-proxy-ca/ca.crt'))]).toEqual([0, 1]);
  expect(await plane.kbin('pki', 'rotate', 'status', 'front-proxy-ca')).toMatchObject({ code: 0 });
  await untilVerified();
});
