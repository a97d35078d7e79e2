/** Renewing everything of a live cluster, etcd and control plane on the same three hosts, as a user does: with the program. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/health/target.ts';
import { probeWire } from '../../src/health/wire.ts';
import { programFolder } from '../cli/transcript.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import { execute } from './execute.ts';
import { InterruptedDeploy } from './interrupt.ts';

const names = ['node1', 'node2', 'node3'];
let lab: Lab;
let plane: ControlPlane;
beforeAll(async () => {
  lab = await startHosts({ names });
  // So long a 1.20 waits for watches when it is told to stop: only the tests' patience is short.
  plane = await ControlPlane.create(lab, { kubernetes: 'apiserver: { flags: { request-timeout: 5s } }' });
  await plane.deploy();
  await plane.deployControlPlane();
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

/** The program, for as long as it takes. */
async function kbin(...argv: string[]): Promise<string> {
  const run = await execute(join(await programFolder(), 'kbin'), argv, {
    cwd: plane.folder,
    timeoutMs: 500_000,
  });
  if (run.code !== 0) throw new Error(`kbin ${argv.join(' ')} → ${run.code}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

/** SHA-256 of what the store has for each listener, and of what is served there. */
async function listeners(): Promise<{
  readonly issued: Readonly<Record<string, string>>;
  readonly served: Readonly<Record<string, string | undefined>>;
}> {
  const [view, cluster] = [(await plane.store()).view(), await plane.cluster()];
  const [targets, credentials, api] = [
    await plane.targets(),
    await plane.credentials(),
    await plane.apiCredentials(),
  ];
  const issued: Record<string, string> = {};
  const served: Record<string, string | undefined> = {};
  for (const name of names) {
    const address = lab.host(name).address;
    const etcd = targets.find((target) => target.name === name);
    for (const [id, url, shown] of [
      [`etcd-server@${name}`, etcd?.endpoint ?? '', credentials],
      [`etcd-peer@${name}`, etcd?.expected?.peerUrls[0] ?? '', credentials],
      [`apiserver@${name}`, `https://${address}:${cluster.kubernetes.apiserverPort}`, { ca: api.ca }],
    ] as const) {
      issued[id] = new X509Certificate(view.certificate(id)?.pem ?? '').fingerprint256;
      const { chain } = await probeWire(parseEndpoint(url), shown, { deadlineMs: 5000 });
      served[id] = chain[0]?.fingerprint;
    }
    for (const [id, port] of [
      [`controller-manager-server@${name}`, 10257],
      [`scheduler-server@${name}`, 10259],
    ] as const) {
      issued[id] = new X509Certificate(view.certificate(id)?.pem ?? '').fingerprint256;
      const look = `echo | openssl s_client -connect 127.0.0.1:${port} 2>/dev/null | openssl x509 -noout -fingerprint -sha256`;
      served[id] = (await lab.host(name).sh(look)).trim().split('=')[1];
    }
  }
  return { issued, served };
}

test('kbin pki renew --all --deploy: clients of etcd and of Kubernetes go on, and every listener serves the new certificate', {
  timeout: 900_000,
}, async () => {
  const before = await listeners();
  expect(before.served).toEqual(before.issued);
  const formerAdmin = await readFile(join(plane.folder, 'pki/kubernetes-ca/admin.crt'), 'utf8');
  const [etcdWriter, apiWriter, watch] = [
    await plane.writer(),
    await plane.apiWriter('renew'),
    await plane.readyzWatch(),
  ];
  etcdWriter.start();
  apiWriter.start();
  watch.start();
  const report = JSON.parse(await kbin('--json', 'pki', 'renew', '--all', '--deploy', '--wait', '180'));
  await watch.stop();
  await apiWriter.stop();
  await etcdWriter.stop();

  expect(report).toMatchObject({
    dryRun: false,
    left: [],
    next: [],
    deploys: {
      etcd: { healthy: true, changed: true },
      'control-plane': { healthy: true, changed: true },
    },
  });
  const after = await listeners();
  expect(after.served).toEqual(after.issued);
  for (const [id, fingerprint] of Object.entries(after.served))
    expect(fingerprint).not.toBe(before.served[id]);
  expect(etcdWriter.outages).toEqual([]);
  expect(apiWriter.outages).toEqual([]);
  expect(watch.allDown).toEqual([]);
  for (const target of await plane.targets()) expect(await etcdWriter.lost(target)).toEqual([]);
  for (const target of await plane.apiTargets()) expect(await apiWriter.lost(target)).toEqual([]);

  // admin.conf of the hosts follows.
  const admin = await readFile(join(plane.folder, 'pki/kubernetes-ca/admin.crt'), 'utf8');
  expect(admin).not.toBe(formerAdmin);
  const conf = await lab.host('node1').run('cat', '/etc/kubernetes/admin.conf');
  expect(conf).toContain(Buffer.from(admin).toString('base64'));
  expect(await plane.kubectl('node1', 'get', '--raw', '/readyz')).toBe('ok');

  expect(await kbin('etcd', 'deploy')).toContain('nothing to do');
  expect(await kbin('control-plane', 'deploy')).toContain('nothing to do');
});

test('killed between the store and the deploy, and in the middle of the deploy: the next run carries on', {
  timeout: 900_000,
}, async () => {
  const writer = await plane.apiWriter('killed');
  writer.start();
  // The store alone, as after a kill right behind it.
  await kbin('pki', 'renew', 'apiserver', 'front-proxy-client', 'scheduler');
  const interrupted = await InterruptedDeploy.create(plane.folder, 'control-plane');
  const { signal, effects } = await interrupted.run('node2: commit', 'during');
  expect({ signal, reached: effects.includes('node2: commit') }).toEqual({
    signal: 'SIGKILL',
    reached: true,
  });
  // Nothing is due any more, and what is outstanding is brought all the same.
  expect(await kbin('pki', 'renew', '--within', '30d', '--deploy')).toContain('nothing to renew');
  await writer.stop();
  const { served, issued } = await listeners();
  expect(served).toEqual(issued);
  expect(writer.outages).toEqual([]);
  expect(await kbin('control-plane', 'deploy')).toContain('nothing to do');
});
