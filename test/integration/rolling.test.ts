import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { isHealthy } from '../../src/health/check.ts';
import type { EtcdTarget } from '../../src/health/target.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment, type Settings } from './deployment.ts';
import { Writer } from './writer.ts';

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
/** Whatever a test changes: clients went on, nothing acknowledged is lost, and a rerun finds nothing to do. */
afterEach(async () => {
  await writer.stop();
  const [target] = (await deployment.targets()).slice(-1);
  if (target === undefined) throw new Error('no target');
  expect(await writer.lost(target)).toEqual([]);
  const rerun = await deployment.deploy();
  expect(isEmpty(rerun.plan)).toBe(true);
  expect(isHealthy(rerun.health.checks)).toBe(true);
});

const pids = async () => {
  const found = lab.hosts.map(async (host) => [host.name, await host.run('pidof', 'etcd')] as const);
  return new Map(await Promise.all(found));
};
const restarts = () => deployment.steps.flatMap((step) => /^(\S+): restarting$/.exec(step)?.[1] ?? []);
const handovers = () =>
  deployment.steps.flatMap((step) => /^(\S+): moving leadership away$/.exec(step)?.[1] ?? []);

/** Each member is restarted once; leadership is moved away from the one that leads, and it is the last. */
function expectRolling(): void {
  expect(restarts().toSorted()).toEqual(['node1', 'node2', 'node3']);
  expect(handovers()).toEqual(restarts().slice(-1));
}

const change = async (settings: Settings) => {
  await deployment.change(settings);
  return deployment.deploy();
};

test('a changed setting restarts one member at a time, the leader last', async () => {
  const before = await pids();
  const report = await change({ etcd: 'snapshotCount: 20000' });
  expectRolling();
  const after = await pids();
  for (const [name, pid] of before) expect(after.get(name)).not.toBe(pid);
  expect(report.plan.hosts.map(({ disruption }) => disruption)).toEqual(['restart', 'restart', 'restart']);
  for (const host of lab.hosts) {
    expect(await host.run('cat', '/etc/etcd/etcd.conf')).toContain('ETCD_SNAPSHOT_COUNT="20000"');
  }
});

test('a binary of the next minor is rolled out, and the cluster version follows', async () => {
  await change({ version: '3.5.16' });
  expectRolling();
  const { members } = await deployment.health();
  expect(members.map(({ version }) => version)).toEqual(['3.5.16', '3.5.16', '3.5.16']);
});

test('leaf certificates that are issued anew are served without a restart', async () => {
  const before = await pids();
  const store = join(deployment.folder, 'pki/etcd-ca');
  for (const host of lab.hosts) {
    for (const id of [`etcd-server@${host.name}`, `etcd-peer@${host.name}`]) {
      for (const file of ['crt', 'key', 'key.sha256']) await rm(join(store, `${id}.${file}`));
    }
  }
  const report = await change({});
  expect(report.plan.hosts.map(({ disruption }) => disruption)).toEqual(['none', 'none', 'none']);
  expect(restarts()).toEqual([]);
  expect(await pids()).toEqual(before);
  for (const host of lab.hosts) {
    const issued = await readFile(join(store, `etcd-server@${host.name}.crt`), 'utf8');
    expect(await host.run('cat', '/etc/etcd/pki/server.crt')).toBe(issued);
  }
});

test('a process that was started with an edited file is restarted, although the file is right again', async () => {
  const before = await pids();
  await lab.host('node2').sh(`cp -p /etc/etcd/etcd.conf /root/right
    sed -i 's/^ETCD_LOG_LEVEL=.*/ETCD_LOG_LEVEL=warn/' /etc/etcd/etcd.conf
    systemctl restart etcd
    cp -p /root/right /etc/etcd/etcd.conf`);
  const { plan } = await deployment.deploy();
  expect(plan.hosts.flatMap(({ host, changes }) => changes.map(({ reason }) => [host, reason]))).toEqual([
    ['node2', 'was started with another ETCD_LOG_LEVEL than its files say'],
  ]);
  expect(restarts()).toEqual(['node2']);
  const after = await pids();
  for (const name of ['node1', 'node3']) expect(after.get(name)).toBe(before.get(name));
});

test('a client port that changes restarts one member at a time, each asked where it serves', async () => {
  for (const port of [3379, 2379]) {
    const former = await deployment.targets();
    await writer.stop();
    deployment.steps.length = 0;
    await deployment.change({ etcd: `snapshotCount: 20000\nclientPort: ${port}` });
    // As applications whose endpoints are changed beforehand.
    writer = new Writer([...former, ...(await deployment.targets())], await deployment.credentials());
    writer.start();
    const { health } = await deployment.deploy();
    expectRolling();
    expect(health.members.map(({ endpoint }) => endpoint.endsWith(`:${port}`))).toEqual([true, true, true]);
  }
  await writer.stop();
  expect(await writer.lost((await deployment.targets())[0] as EtcdTarget)).toEqual([]);
  writer = await deployment.writer();
});

test('a CA bundle that changes restarts one member at a time', async () => {
  const folder = await mkdtemp(join(deployment.folder, 'ca-'));
  const [key, certificate] = [join(folder, 'ca.key'), join(folder, 'ca.crt')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', ...curve, '-nodes', '-subj', '/CN=the next etcd CA', '-days', '30'],
    ...['-keyout', key, '-out', certificate],
  ]);
  // Trusted beside the one that signs, as while a rotation is under way.
  const beside = join(deployment.folder, 'pki/next/etcd-ca');
  await mkdir(beside, { recursive: true });
  await copyFile(certificate, join(beside, 'ca.crt'));
  await deployment.deploy();
  expectRolling();
  for (const host of lab.hosts) {
    const trusted = await host.run('cat', '/etc/etcd/pki/ca.crt');
    expect(trusted.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  }
});

test('a setting that keeps a member from starting is taken back on that host, and the others are never touched', async () => {
  const before = await pids();
  await expect(
    change({ etcd: 'environment: { ETCD_AUTO_COMPACTION_MODE: sometimes }' }),
  ).rejects.toMatchObject({
    message: expect.stringContaining('etcd.service'),
    details: { output: expect.stringContaining('sometimes') },
  });
  expect(restarts()).toHaveLength(1);
  const [touched] = restarts();
  for (const [name, pid] of await pids()) {
    if (name !== touched) expect(pid).toBe(before.get(name));
  }
  expect(isHealthy((await deployment.health()).checks)).toBe(true);
  await deployment.change({ etcd: 'snapshotCount: 20000' });
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});
