import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { revocables } from '../../src/ca/revocable.ts';
import { renewLists, revoke } from '../../src/ca/revoke.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { isHealthy } from '../../src/health/check.ts';
import { etcdRelease } from '../health/etcd-release.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment } from './deployment.ts';
import type { Writer } from './writer.ts';

const run = promisify(execFile);
let lab: Lab;
let deployment: Deployment;
let writer: Writer;

beforeAll(async () => {
  lab = await startHosts();
  deployment = await Deployment.create(lab, { version: '3.4.23' });
  await deployment.deploy();
  writer = await deployment.writer();
});
afterAll(async () => {
  await deployment?.remove();
  await lab?.stop();
});

beforeEach(() => {
  deployment.steps.length = 0;
  writer.start();
});
/** Whatever is revoked: the others went on, nothing acknowledged is lost, and a rerun finds nothing to do. */
afterEach(async () => {
  await writer.stop();
  const [target] = await deployment.targets();
  if (target === undefined) throw new Error('no target');
  expect(await writer.lost(target)).toEqual([]);
  expect(writer.outages).toEqual([]);
  const rerun = await deployment.deploy();
  expect(isEmpty(rerun.plan)).toBe(true);
  expect(isHealthy(rerun.health.checks)).toBe(true);
});

const restarts = () => deployment.steps.flatMap((step) => /^(\S+): restarting$/.exec(step)?.[1] ?? []);
const file = (name: string) => join(deployment.folder, name);

async function keep(id: string, name: string): Promise<void> {
  for (const part of ['crt', 'key']) {
    await copyFile(file(`pki/etcd-ca/${id}.${part}`), file(`${name}.${part}`));
  }
}

async function revokeNamed(id: string): Promise<void> {
  const plan = certificatePlan(await deployment.cluster());
  const store = await deployment.store();
  const one = revocables(plan, diskFiles(store.folder)).find(({ name }) => name === id);
  if (one === undefined) throw new Error(`no ${id}`);
  await revoke(plan, store, [one], { reason: 'keyCompromise', now: new Date() });
}

/** The hosts that let a client in, by etcd's own client. */
async function letIn(name: string): Promise<string[]> {
  const etcdctl = join(await etcdRelease('3.5.16'), 'etcdctl');
  const tls = [
    `--cacert=${file('pki/etcd-ca/ca.crt')}`,
    `--cert=${file(`${name}.crt`)}`,
    `--key=${file(`${name}.key`)}`,
  ];
  const asked = lab.hosts.map(async (host) => {
    const argv = [
      `--endpoints=https://${host.address}:2379`,
      '--dial-timeout=3s',
      '--command-timeout=5s',
      ...tls,
    ];
    return run(etcdctl, [...argv, 'put', 'asked', 'x'], { env: {} }).then(
      () => [host.name],
      () => [],
    );
  });
  return (await Promise.all(asked)).flat();
}

/** The hosts whose peer port answers node1 with this certificate: etcd looks at the address that a member comes from. */
async function answersPeer(name: string): Promise<string[]> {
  const node1 = lab.host('node1');
  for (const part of ['crt', 'key']) {
    await node1.sh(
      `cat >/root/${name}.${part} <<'END'\n${await readFile(file(`${name}.${part}`), 'utf8')}END`,
    );
  }
  const tls = `-CAfile /etc/etcd/pki/ca.crt -cert /root/${name}.crt -key /root/${name}.key -quiet`;
  const asked = lab.hosts.map(async ({ name: host, address }) => {
    const answer = await node1.sh(
      `printf 'GET /members HTTP/1.0\\r\\n\\r\\n' | timeout 5 openssl s_client -connect ${address}:2380 ${tls} 2>/dev/null || true`,
    );
    return answer.includes('200 OK') ? [host] : [];
  });
  return (await Promise.all(asked)).flat();
}

const all = ['node1', 'node2', 'node3'];

test('a revoked client is refused on every host after a rolling restart; its successor and the others go on', async () => {
  await keep('apiserver-etcd-client', 'thief');
  expect(await letIn('thief')).toEqual(all);
  await revokeNamed('apiserver-etcd-client');
  await keep('apiserver-etcd-client', 'honest');
  const { plan } = await deployment.deploy();
  expect(plan.hosts.map(({ disruption }) => disruption)).toEqual(['restart', 'restart', 'restart']);
  expect(restarts().toSorted()).toEqual(all);
  expect(await letIn('thief')).toEqual([]);
  expect(await letIn('honest')).toEqual(all);
  for (const host of lab.hosts) {
    expect(await host.run('stat', '-c', '%U:%G %a', '/etc/etcd/pki/crl.der')).toBe('etcd:etcd 644\n');
    expect((await host.run('sha256sum', '/etc/etcd/pki/crl.der')).slice(0, 64)).toBe(
      (await run('sha256sum', [file('pki/etcd-ca/crl.der')])).stdout.slice(0, 64),
    );
  }
});

test('a member whose certificate was revoked comes back with another one', async () => {
  await keep('etcd-peer@node1', 'peer');
  expect(await answersPeer('peer')).toEqual(all);
  await revokeNamed('etcd-peer@node1');
  await keep('etcd-peer@node1', 'successor');
  await deployment.deploy();
  expect(restarts().toSorted()).toEqual(all);
  expect(await answersPeer('peer')).toEqual([]);
  expect(await answersPeer('successor')).toEqual(all);
});

test('a list made anew is in force without a restart', async () => {
  const plan = certificatePlan(await deployment.cluster());
  await renewLists(plan, await deployment.store(), ['etcd-ca'], { now: new Date() });
  const { plan: changes } = await deployment.deploy();
  expect(changes.hosts.map(({ disruption }) => disruption)).toEqual(['none', 'none', 'none']);
  expect(changes.hosts.flatMap(({ changes: each }) => each.map(({ reason }) => reason))).toEqual(
    all.map(() => 'differs in crl.der'),
  );
  expect(restarts()).toEqual([]);
  expect(await letIn('thief')).toEqual([]);
});

test('etcd of the next minor goes by the same list', async () => {
  await deployment.change({ version: '3.5.16' });
  await deployment.deploy();
  expect(await letIn('thief')).toEqual([]);
  expect(await letIn('honest')).toEqual(all);
  expect(await answersPeer('peer')).toEqual([]);
});
