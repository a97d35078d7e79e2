import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { startKubernetes } from '../health/local-kubernetes.ts';
import { expectTranscript, programFolder } from './transcript.ts';

const run = promisify(execFile);

/** Dates move on, and keys are different each time. */
const replace = [
  [/\b20\d\d-\d\d-\d\dT[0-9:.]+Z/g, 'YYYY-MM-DDThh:mm:ss.000Z'],
  [/\b20\d\d-\d\d-\d\d\b/g, 'YYYY-MM-DD'],
  [/\b[0-9A-F]{40}\b/g, 'SERIAL'],
] as const;

test('kubeconfigs, read by kubectl and openssl', { timeout: 120_000 }, async () => {
  const KUBECTL = join(await kubernetesRelease(), 'kubectl');
  await expectTranscript(join(import.meta.dirname, 'kubeconfig/session.txt'), { replace, env: { KUBECTL } });
});

test('a real kube-apiserver takes the names in it for user and groups', { timeout: 120_000 }, async () => {
  await using kubernetes = await startKubernetes();
  const folder = mkdtempSync(join(tmpdir(), 'kbin-kubeconfig-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cluster.yaml'), cluster);
  mkdirSync(join(folder, 'pki/kubernetes-ca'), { recursive: true });
  for (const file of ['ca.crt', 'ca.key']) {
    cpSync(kubernetes.authority.path(file), join(folder, 'pki/kubernetes-ca', file));
  }
  const program = join(await programFolder(), 'kbin');
  const server = `https://127.0.0.1:${kubernetes.apiserver(0).port}`;
  const kubeconfig = async (...argv: string[]): Promise<string> => {
    const file = join(folder, `${argv[0]}.conf`);
    const env = { ...process.env, KBIN_NODE: process.execPath };
    await run(program, ['kubeconfig', ...argv, '--server', server, '-o', file], { cwd: folder, env });
    return file;
  };
  const kubectl = async (file: string, ...argv: string[]): Promise<string> => {
    const all = ['--kubeconfig', file, ...argv];
    const { stdout } = await run(join(kubernetes.programs, 'kubectl'), all, { env: { HOME: folder } });
    return stdout;
  };
  const role = ['--verb=list', '--resource=configmaps'];
  await kubernetes.kubectl(['create', 'clusterrole', 'readers', ...role]);
  const binding = ['--clusterrole=readers', '--group=on-call'];
  await kubernetes.kubectl(['create', 'clusterrolebinding', 'readers', ...binding]);

  const jane = await kubeconfig('jane', '--group', 'developers', '--group', 'on-call');
  expect(await kubectl(jane, 'get', 'configmaps', '-n', 'kube-system', '-o', 'name')).toContain(
    'configmap/extension-apiserver-authentication',
  );
  await expect(kubectl(jane, 'get', 'secrets')).rejects.toThrow(/User "jane" cannot list resource "secrets"/);
  const joe = await kubeconfig('joe', '--group', 'developers');
  await expect(kubectl(joe, 'get', 'configmaps')).rejects.toThrow(/User "joe" cannot list/);
  const root = await kubeconfig('root', '--group', 'system:masters');
  expect(await kubectl(root, 'auth', 'can-i', '*', '*')).toBe('yes\n');
});

const cluster = `name: real
hosts: [{ name: m1, address: 127.0.0.1 }]
etcd: { version: 3.5.16 }
kubernetes: { version: 1.20.2 }
`;
