/** An etcd that a guide and cfssl made comes under kbin while it is used: the same CA, the same data, no outage. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openStore } from '../../src/ca/store.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { etcdCredentials, etcdTargets } from '../../src/health/of-cluster.ts';
import { createConnect } from '../../src/remote/connect.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { execute, type Run } from './execute.ts';
import { cfsslPki, HandBuilt } from './hand-built.ts';
import { Writer } from './writer.ts';

let lab: Lab;
let built: HandBuilt;
/** Of the operator's folder, before kbin was there. */
let made: ReadonlyMap<string, string>;

beforeAll(async () => {
  lab = await startHosts({ count: 3 });
  built = await HandBuilt.create(lab, '3.5.16', cfsslPki);
  const names = ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem'];
  made = new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(built.file(name), 'utf8')] as const)),
  );
});
afterAll(async () => {
  await built?.remove();
  await lab?.stop();
});

function kbin(...argv: string[]): Promise<Run> {
  return execute(join(built.program, 'kbin'), argv, { cwd: built.folder });
}

async function kbinDoes(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await kbin(...argv);
  expect({ argv, code, stderr: code === 0 ? '' : stderr }).toEqual({ argv, code: 0, stderr: '' });
  return stdout;
}

const writeCluster = (more = '') =>
  writeFile(
    built.file('cluster.yaml'),
    `name: lab
hosts:
${lab.hosts.map(({ name, address }) => `  - { name: ${name}, address: ${address}, roles: [etcd] }`).join('\n')}
ssh: { user: root, identityFile: ${lab.sshKey}, knownHosts: ${lab.knownHosts} }
etcd: { version: 3.5.16, source: ${inject('etcdTarballs')['3.5.16']}${more} }
paths: opt
`,
  );

const stored = (path: string) => readFile(built.file(`pki/etcd-ca/${path}`), 'utf8');
const clusterId = async () =>
  /"cluster_id":(\d+)/.exec(await built.etcdctl(['member', 'list', '-w', 'json']))?.[1];
const userOf = async (host: LabHost) => (await host.sh('ps -o user= -C etcd')).trim();

async function writer(): Promise<Writer> {
  const cluster = await loadCluster(built.file('cluster.yaml'));
  const connect = createConnect(cluster, { acceptNewHostKeys: false, env: {}, warn: () => {} });
  const store = await openStore(built.file('pki'));
  return new Writer(etcdTargets(cluster, connect), await etcdCredentials(store));
}

test('is adopted byte for byte', async () => {
  // As guides call them. etcd takes the new name when it starts, which is what a take-over relies on.
  for (const [index, host] of lab.hosts.entries()) {
    await built.configure(host, { name: `etcd-${index + 1}` });
    await built.healthy();
  }
  await writeCluster();
  await built.etcdctl(['put', 'before', 'kbin']);
  await kbinDoes('pki', 'adopt', '.');
  await kbinDoes('pki', 'init');
  expect(await stored('ca.crt')).toBe(made.get('ca.pem'));
  expect(await stored('ca.key')).toBe(made.get('ca-key.pem'));
  for (const { name } of lab.hosts) {
    for (const job of ['server', 'peer']) {
      expect(await stored(`etcd-${job}@${name}.crt`)).toBe(made.get('server.pem'));
      expect(await stored(`etcd-${job}@${name}.key`)).toBe(made.get('server-key.pem'));
    }
  }
});

test('what goes wrong with the first host is undone: the former unit runs as who it was', async () => {
  await writeCluster(', environment: { ETCD_AUTO_COMPACTION_MODE: sometimes }');
  const { code, stderr } = await kbin('etcd', 'deploy');
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('its former files are back') });
  await built.healthy();
  for (const host of lab.hosts) {
    expect(await userOf(host)).toBe('root');
    expect(await host.run('stat', '-c', '%U', '/var/lib/etcd/default.etcd')).toBe('root\n');
    expect(await host.run('cat', '/opt/etcd/ssl/server.pem')).toBe(made.get('server.pem'));
  }
  await writeCluster();
});

test('is deployed to while a client writes; nothing is lost, and others still find their files', async () => {
  const id = await clusterId();
  const writing = await writer();
  writing.start();
  await until('something is written', async () => writing.written > 20);
  expect(await kbinDoes('plan')).toContain(
    'etcd knows the member on this host as etcd-1; from its restart on',
  );
  const steps = (await kbin('etcd', 'deploy')).stderr;
  await writing.stop();
  expect(writing.outages).toEqual([]);
  expect(steps).not.toContain('failed');
  const cluster = await loadCluster(built.file('cluster.yaml'));
  const connect = createConnect(cluster, { acceptNewHostKeys: false, env: {}, warn: () => {} });
  for (const target of etcdTargets(cluster, connect)) expect(await writing.lost(target)).toEqual([]);
  expect(await clusterId()).toBe(id);
  const names = (await built.etcdctl(['member', 'list'])).split('\n').map((line) => line.split(', ')[2]);
  expect(names.filter(Boolean).sort()).toEqual(lab.hosts.map(({ name }) => name));
  expect(await built.etcdctl(['get', 'before'])).toBe('before\nkbin\n');
  for (const host of lab.hosts) {
    expect(await userOf(host)).toBe('etcd');
    expect(await host.run('cat', '/opt/etcd/ssl/server.crt')).toBe(made.get('server.pem'));
    // As an apiserver of such a guide names it: --etcd-certfile=/opt/etcd/ssl/server.pem.
    expect(await host.run('cat', '/opt/etcd/ssl/server.pem')).toBe(made.get('server.pem'));
  }
  await kbinDoes('plan', '--exit-code');
  await kbinDoes('verify');
  await kbinDoes('pki', 'check');
});

test('is renewed from then on: certificates of kbin by the CA of before, whose clients stay', async () => {
  await kbinDoes('pki', 'renew', ...lab.hosts.map(({ name }) => `etcd-server@${name}`));
  await kbinDoes('etcd', 'deploy');
  for (const host of lab.hosts) {
    const served = await stored(`etcd-server@${host.name}.crt`);
    expect(served).not.toBe(made.get('server.pem'));
    expect(await host.run('cat', '/opt/etcd/ssl/server.crt')).toBe(served);
    expect(await host.run('cat', '/opt/etcd/ssl/server.pem')).toBe(made.get('server.pem'));
  }
  expect(await built.etcdctl(['get', 'before'], built.endpoints)).toBe('before\nkbin\n');
  await kbinDoes('verify');
});
