/** The keys of the CAs: kept elsewhere, kept from the hosts, encrypted. */
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { changePassphrase } from '../../src/ca/passphrase-change.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import { wipe } from './wipe.ts';

let lab: Lab;
let plane: ControlPlane;
const authorities = ['etcd-ca', 'kubernetes-ca', 'front-proxy-ca'];
const host = 'node1';
const folder = '/etc/kubernetes/pki/kube-controller-manager';

beforeAll(async () => {
  lab = await startHosts({ names: [host] });
});
afterAll(() => lab?.stop());
beforeEach(() => wipe(lab));
afterEach(() => plane?.remove());

/** Moves the CA keys out of pki/, or back in; `also`: further files. */
async function move(where: 'away' | 'back', endings = ['ca.key']): Promise<void> {
  for (const authority of authorities) {
    for (const ending of endings) {
      const here = join(plane.folder, 'pki', authority, ending);
      const away = join(plane.folder, 'safe', authority, ending);
      await mkdir(dirname(away), { recursive: true });
      await (where === 'away' ? rename(here, away) : rename(away, here));
    }
  }
}

async function signingFlags(): Promise<string[]> {
  const argv = await lab.host(host).sh('tr "\\0" "\\n" </proc/$(pidof kube-controller-manager)/cmdline');
  return argv.split('\n').filter((word) => word.startsWith('--cluster-signing'));
}

/** A request as a person makes it with kubectl: approved, and then signed by the cluster or not. */
async function asksForCertificate(name: string, withinMs: number): Promise<string> {
  const folder = join(plane.folder, 'csr');
  await mkdir(folder, { recursive: true });
  const request = execFileSync(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      `/CN=${name}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const manifest = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: request.toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  };
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(manifest));
  await plane.kubectl(host, 'create', '-f', file);
  await plane.kubectl(host, 'certificate', 'approve', name);
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const certificate = await plane.kubectl(host, 'get', 'csr', name, '-o', 'jsonpath={.status.certificate}');
    if (certificate !== '') return 'signed';
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return 'not signed';
}

test('a cluster comes up without any CA key present, and signs again once they are back', {
  timeout: 600_000,
}, async () => {
  plane = await ControlPlane.create(lab, { more: 'pki: { offline: [kubernetes-ca] }' });
  await move('away');
  await plane.deploy();
  await plane.deployControlPlane();
  await plane.kbinDoes('verify');
  expect(await signingFlags()).toEqual([]);
  expect(await lab.host(host).sh(`grep -rl 'PRIVATE KEY' ${folder}/`)).not.toContain('signing-ca');
  // All other controllers work: a namespace gets its service account and the CA of the cluster.
  await plane.kubectl(host, 'create', 'namespace', 'proof');
  await expect
    .poll(() => plane.kubectl(host, '-n', 'proof', 'get', 'configmap,serviceaccount', '-o', 'name'), {
      timeout: 30_000,
    })
    .toContain('configmap/kube-root-ca.crt');
  expect(await asksForCertificate('offline', 20_000)).toBe('not signed');
  expect(await plane.kbinDoes('pki', 'list')).toMatch(/^kubernetes-ca +.* elsewhere +.* ok$/m);
  expect(await plane.kbinDoes('pki', 'init')).toContain('nothing to do');
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);

  // Somebody is to get a certificate: the keys are needed, that is said, and they are brought back.
  const refused = await plane.kbin('kubeconfig', 'jane', '-o', 'jane.conf');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('kubernetes-ca/ca.key is not here'),
  ]);
  await move('back');
  await plane.kbinDoes(
    'kubeconfig',
    'jane',
    '-o',
    'jane.conf',
    '--group',
    'system:masters',
    '--allow-system',
  );
  expect(await plane.kubectlAs(join(plane.folder, 'jane.conf'), 'get', '--raw', '/readyz')).toBe('ok');

  // The cluster is to sign for itself again, with a key that is encrypted on this machine.
  const store = await openStore(join(plane.folder, 'pki'));
  await changePassphrase(store, async () => ({ value: 's3cret', from: 'the test' }), {});
  await plane.change({ more: '' });
  const locked = await plane.deployControlPlane().catch((error: Error) => error.message);
  expect(locked).toContain('a CA key is encrypted, and there is nobody to ask');
  const opened: Store = await openStore(join(plane.folder, 'pki'), async () => ({
    value: 's3cret',
    from: 'the test',
  }));
  await plane.deployControlPlane({ store: opened });
  expect(await signingFlags()).toHaveLength(2);
  expect(await lab.host(host).sh(`head -n 1 ${folder}/signing-ca.key`)).toBe('-----BEGIN PRIVATE KEY-----\n');
  expect(await asksForCertificate('online', 60_000)).toBe('signed');
  // Nothing is to be brought any more: nobody needs the passphrase, nor the keys.
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
  await move('away');
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
  await plane.kbinDoes('verify');

  // The digest alone is here, and the host lacks the key.
  await lab.host(host).sh(`rm -r ${folder} /etc/kubernetes/pki/.kube-controller-manager-*`);
  const missing = await plane.deployControlPlane().catch((error: unknown) => error);
  expect(missing).toMatchObject({
    message: expect.stringContaining('kubernetes-ca/ca.key is not here'),
    details: { next: expect.stringMatching(/put it here for the while; or, .* offline: \[kubernetes-ca\]/) },
  });
  await rm(join(plane.folder, 'pki/kubernetes-ca/ca.key.sha256'));
  // Neither key nor digest: another one keeps that key, and the cluster does without it.
  await plane.deployControlPlane();
  expect(await signingFlags()).toEqual([]);
  await plane.kbinDoes('verify');
});
