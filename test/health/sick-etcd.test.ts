import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { etcdHealth } from '../../src/health/etcd.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { until } from '../lab/until.ts';
import { findings } from './findings.ts';
import { flagsOf, freePorts, type LocalEtcd, LocalMember, startEtcd, tlsFlags } from './local-etcd.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

async function look(etcd: LocalEtcd, targets = etcd.targets) {
  return findings(await etcdHealth(targets, await etcd.credentials(), { deadlineMs: 4000 }));
}

/** Members of which only one is lost still answer quickly; an election may be going on, though. */
function eventually(etcd: LocalEtcd, targets = etcd.targets) {
  return expect.poll(() => look(etcd, targets), { timeout: 90_000, interval: 500 });
}

test('the alarm NOSPACE, and that writes are refused', async () => {
  await using etcd = await startEtcd({ size: 1, flags: ['--quota-backend-bytes=400000'] });
  const big = 'x'.repeat(100_000);
  await until('the quota is reached', async (saw) => {
    try {
      await etcd.etcdctl(['put', `big-${Math.random()}`, big]);
      return saw('another write went through');
    } catch (error) {
      return /database space exceeded/.test(String(error)) || saw(String(error));
    }
  });
  expect(await look(etcd)).toEqual([
    'fail quorum-write: no member could write: refuses writes: the database has reached its quota (alarm NOSPACE)',
    'fail alarms n1: alarm NOSPACE: its database has reached the quota, and the whole cluster refuses writes',
    expect.stringMatching(/^(warn|fail) database-size n1: .*at 100 % the cluster refuses writes$/),
  ]);
});

test('the alarm CORRUPT', async () => {
  await using etcd = await startEtcd({ size: 1 });
  const { Etcd3 } = await import('etcd3');
  const { ca, cert, key } = await etcd.credentials();
  // etcdctl cannot raise it, and data cannot be damaged safely. The name is one that the server certificate has not got.
  await etcd.authority.issue('server', { sans: 'IP:127.0.0.1,DNS:localhost' });
  const raw = new Etcd3({
    hosts: etcd.member(0).endpoint.replace('127.0.0.1', 'localhost'),
    credentials: {
      rootCertificate: Buffer.from(ca ?? ''),
      certChain: Buffer.from(cert ?? ''),
      privateKey: Buffer.from(key ?? ''),
    },
  });
  const { members } = await raw.cluster.memberList({});
  await raw.maintenance.alarm({ action: 'Activate', memberID: members[0]?.ID ?? '0', alarm: 'Corrupt' });
  raw.close();
  const found = await look(etcd);
  expect(found).toContain('fail alarms n1: alarm CORRUPT: its data differs from that of the other members');
  expect(found.join()).toMatch(/fail quorum-write: no member could write: reports corrupt data/);
});

test('authentication is on: who may, may; who may not is told so', async () => {
  await using etcd = await startEtcd({ size: 1 });
  for (const argv of ['user add root --no-password', 'user grant-role root root', 'role add canary']) {
    await etcd.etcdctl(argv.split(' '));
  }
  await etcd.etcdctl(['role', 'grant-permission', 'canary', 'readwrite', '/kbin/canary/', '--prefix=true']);
  await etcd.etcdctl(['user', 'add', 'client', '--no-password']);
  await etcd.authority.issue('root');
  await etcd.etcdctl(['auth', 'enable']);
  expect((await look(etcd)).join()).toMatch(
    /^fail quorum-write: no member could write: has authentication on, and this user may not do that/,
  );
  const asRoot = await etcd.credentials('root');
  const client = await openMember(etcd.targets[0] ?? { name: '', endpoint: '' }, asRoot);
  await client.close();
  await etcdctlAs(etcd, 'root', ['user', 'grant-role', 'client', 'canary']);
  expect(await look(etcd)).toEqual([]);
  expect(findings(await etcdHealth(etcd.targets, asRoot))).toEqual([]);
});

test('a learner that was never promoted, with and without data', async () => {
  await using etcd = await startEtcd({ size: 1 });
  const learner = await addLearner(etcd, 'n2');
  expect(await look(etcd)).toEqual([
    `fail membership: a learner was added and has never started (${learner.peerUrl})`,
  ]);
  await learner.member.start();
  try {
    const targets = [...etcd.targets, { name: 'n2', endpoint: learner.member.endpoint }];
    await eventually(etcd, targets).toEqual([
      'fail membership n2: is a learner that was never promoted: it has no vote',
    ]);
    const health = await etcdHealth(targets, await etcd.credentials());
    expect(health.members.map(({ role }) => role)).toEqual(['leader', 'learner']);
    await etcd.etcdctl(['member', 'promote', learner.id]);
    await eventually(etcd, targets).toEqual([
      'warn quorum: 2 of 2 voting members healthy, quorum is 2: an even number survives no more losses than 1 would',
    ]);
  } finally {
    await learner.member.stop();
  }
});

test('a member was wiped and started a cluster of its own', async () => {
  await using etcd = await startEtcd();
  const third = etcd.member(2);
  await third.stop();
  await third.wipe();
  third.set('initial-cluster', `n3=${third.peerUrl}`);
  third.set('initial-cluster-token', 'alone');
  await third.start();
  await eventually(etcd).toEqual([
    expect.stringMatching(
      /^fail one-cluster n3: belongs to another etcd cluster \(id [0-9a-f]+, 1 members\) than the rest \([0-9a-f]+: n1 and n2; [0-9a-f]+: n3\)$/,
    ),
    'warn quorum: 2 of 3 voting members healthy, quorum is 2: the loss of one more stops all writes',
    'fail quorum-read n3: does not see the canary key in a linearizable read (no such key)',
  ]);
});

test('endpoints of two clusters are mixed up', async () => {
  await using etcd = await startEtcd();
  await using other = await startEtcd({ size: 1, authority: etcd.authority });
  const stranger = { name: 'stranger', endpoint: other.member(0).endpoint };
  const found = await look(etcd, [...etcd.targets.slice(0, 2), stranger]);
  expect(found[0]).toMatch(/^fail one-cluster stranger: belongs to another etcd cluster/);
});

test('a removed member', async () => {
  await using etcd = await startEtcd();
  const list = await etcd.etcdctl(['member', 'list']);
  const id = /^([0-9a-f]+), started, n3,/m.exec(list)?.[1] ?? '';
  // etcd waits until it has seen everybody connected for five seconds.
  await until('the member is removed', () => etcd.etcdctl(['member', 'remove', id]));
  await eventually(etcd).toEqual([
    'fail member-reachable n3: refuses connections: nothing listens there',
    'warn quorum: 2 of 2 voting members healthy, quorum is 2: an even number survives no more losses than 1 would',
    'warn members-covered n3: no member of the cluster advertises this endpoint',
  ]);
});

describe('versions', () => {
  test('3.4 beside 3.5 is a warning that names both', async () => {
    await using etcd = await startEtcd({ version: ['3.4.23', '3.4.23', '3.5.16'] });
    expect(await look(etcd)).toEqual([
      'warn versions: the members run different versions: 3.4.23 on n1 and n2; 3.5.16 on n3',
    ]);
  });
});

describe('listeners', () => {
  test('plain http works, and is a warning', async () => {
    await using etcd = await startEtcd({ size: 1, scheme: 'http' });
    const health = await etcdHealth(etcd.targets, {});
    expect(findings(health)).toEqual([
      'warn served-certificate n1: the client listener speaks plain http: anybody on the way may read and change everything',
      'warn peer-certificate n1: the peer listener speaks plain http: anybody on the way may read and change everything',
    ]);
    const https = etcd.targets.map(({ name, endpoint }) => ({
      name,
      endpoint: endpoint.replace('http', 'https'),
    }));
    expect(findings(await etcdHealth(https, {}))[0]).toMatch(
      /^fail member-reachable n1: does not speak what the endpoint says/,
    );
  });

  test('clients and peers need no certificate', async () => {
    await using etcd = await startEtcd({ size: 1 });
    const [only] = etcd.members;
    await only?.stop();
    only?.set('client-cert-auth', 'false');
    only?.set('peer-client-cert-auth', 'false');
    only?.set('peer-trusted-ca-file', '');
    only?.set('trusted-ca-file', '');
    await only?.start();
    await etcd.healthy();
    const port = only?.endpoint.slice('https://'.length);
    const peer = only?.peerUrl.slice('https://'.length);
    expect(await look(etcd)).toEqual([
      `fail client-authentication n1: ${port} answers clients that show no certificate: anybody who reaches the port may read and write everything`,
      `fail peer-authentication n1: ${peer} answers clients that show no certificate: anybody who reaches the port may join the raft traffic`,
    ]);
  });

  test('IPv6', async () => {
    await using etcd = await startEtcd({ size: 1, address: '::1' });
    expect(await look(etcd)).toEqual([]);
  });

  test('a CA bundle, and a certificate with DNS names only', async () => {
    await using etcd = await startEtcd({ size: 1 });
    await using other = await startEtcd({ size: 1, sans: 'IP:127.0.0.1,DNS:localhost' });
    const own = await etcd.credentials();
    const ca = `${await other.authority.read('ca.crt')}${own.ca}`;
    expect(findings(await etcdHealth(etcd.targets, { ...own, ca }))).toEqual([]);
    await other.authority.issue('server', { sans: 'DNS:localhost' });
    const byName = other.targets.map(({ name, endpoint }) => ({
      name,
      endpoint: endpoint.replace('127.0.0.1', 'localhost'),
    }));
    expect(findings(await etcdHealth(byName, { ...(await other.credentials()), ca }))).toEqual([]);
  });
});

async function etcdctlAs(etcd: LocalEtcd, user: string, argv: readonly string[]): Promise<void> {
  const { etcdRelease } = await import('./etcd-release.ts');
  await promisify(execFile)(
    join(await etcdRelease('3.5.16'), 'etcdctl'),
    [
      `--endpoints=${etcd.member(0).endpoint}`,
      `--cacert=${etcd.authority.caFile}`,
      `--cert=${etcd.authority.path(`${user}.crt`)}`,
      `--key=${etcd.authority.path(`${user}.key`)}`,
      ...argv,
    ],
    { env: {} },
  );
}

async function addLearner(etcd: LocalEtcd, name: string) {
  const [client, peer] = await freePorts(2, '127.0.0.1');
  const peerUrl = `https://127.0.0.1:${peer}`;
  const added = await etcd.etcdctl([
    'member',
    'add',
    name,
    '--learner',
    `--peer-urls=${peerUrl}`,
    '-w',
    'simple',
  ]);
  const id = /Member\s+([0-9a-f]+) added/.exec(added)?.[1] ?? added;
  const first = etcd.member(0);
  const member = new LocalMember({
    name,
    endpoint: `https://127.0.0.1:${client}`,
    peerUrl,
    folder: etcd.folder,
    program: first.program,
  });
  const { authority } = etcd;
  const pair = (file: string) => ({
    cert: authority.path(`${file}.crt`),
    key: authority.path(`${file}.key`),
  });
  member.flags = [
    ...flagsOf(member, `${first.name}=${first.peerUrl},${name}=${peerUrl}`),
    ...tlsFlags(authority.caFile, pair('server'), pair('peer')),
    '--initial-cluster-state=existing',
  ];
  return { id, peerUrl, member };
}
