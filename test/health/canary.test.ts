import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { canaryPrefix, sendCanary } from '../../src/health/canary.ts';
import { dialDirect } from '../../src/health/dial.ts';
import { type MemberReading, readMembers } from '../../src/health/live.ts';
import type { Dial, EtcdCredentials } from '../../src/health/target.ts';
import { until } from '../lab/until.ts';
import { type LocalEtcd, startEtcd } from './local-etcd.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let etcd: LocalEtcd;
let credentials: EtcdCredentials;
beforeAll(async () => {
  etcd = await startEtcd();
  credentials = await etcd.credentials();
});
afterAll(() => etcd?.[Symbol.asyncDispose]());

/** The release's own client, asked at the leader: another member may be frozen. */
const etcdctl = (...argv: string[]) => etcd.etcdctl(argv, leader.target.endpoint);
const keys = () => etcdctl('get', '--prefix', canaryPrefix, '--keys-only');
const leases = async () => (await etcdctl('lease', 'list')).split('\n').slice(1).join('').trim();

let readings: readonly MemberReading[];
let leader: MemberReading;
/** Index of a follower. */
let frozen: number;
beforeEach(async () => {
  readings = await readMembers(etcd.targets, credentials);
  leader = readings.find(leads) ?? expect.fail('no leader');
  frozen = readings.findIndex((reading) => !leads(reading));
});

function leads({ status }: MemberReading): boolean {
  return status !== undefined && status.leaderId === status.memberId;
}

test('is written once, read through everybody, and gone with its lease', async () => {
  const began = await revision();
  const canary = await sendCanary(readings, credentials, 3000);
  expect(canary).toEqual({
    key: expect.stringMatching(/^\/kbin\/canary\/[0-9a-f]{16}$/),
    writtenThrough: expect.stringMatching(/^n[123]$/),
    writeMs: expect.any(Number),
    reads: ['n1', 'n2', 'n3'].map((name) => ({ name, latencyMs: expect.any(Number) })),
  });
  expect(await keys()).toBe('');
  expect(await leases()).toBe('');
  // One put and one delete: nothing else was changed.
  expect((await revision()) - began).toBe(2);
});

async function revision(): Promise<number> {
  const answer = JSON.parse(await etcdctl('get', 'x', '-w', 'json')) as {
    header: { revision: number };
  };
  return answer.header.revision;
}

test('is deleted when the run is interrupted while a member keeps it waiting', async () => {
  const controller = new AbortController();
  etcd.member(frozen).freeze();
  try {
    const canary = sendCanary(readings, credentials, 20_000, controller.signal);
    const refused = expect(canary).rejects.toThrow('interrupted');
    await until('the key is there', async () => ((await keys()) === '' ? undefined : true));
    controller.abort('SIGINT');
    await refused;
    expect(await keys()).toBe('');
    expect(await leases()).toBe('');
  } finally {
    etcd.member(frozen).thaw();
    await etcd.healthy();
  }
});

test('hangs on a lease that ends by itself when kbin is killed', async () => {
  // Reading through a frozen member holds kbin at the very point where the key exists.
  const child = startKbin();
  try {
    etcd.member(frozen).freeze();
    const key = await until('the key is there', async () => (await keys()).trim() || undefined);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const answer = await etcdctl('get', key, '-w', 'fields');
    const lease = /"Lease" : (\d+)/.exec(answer)?.[1] ?? '0';
    const left = await etcdctl('lease', 'timetolive', BigInt(lease).toString(16), '-w', 'fields');
    const seconds = Number(/"TTL" : (\d+)/.exec(left)?.[1]);
    expect(seconds).toBeGreaterThan(0);
    // A new leader gives each lease an election more.
    expect(seconds).toBeLessThanOrEqual(40);
    await etcdctl('del', key);
  } finally {
    child.kill('SIGKILL');
    etcd.member(frozen).thaw();
    await etcd.healthy();
  }
});

/** Sends canaries for ever, in a process of its own. */
function startKbin(): ChildProcess {
  const root = new URL('../../src/health/', import.meta.url).href;
  const program = `
    const { sendCanary } = await import('${root}canary.ts');
    const { readMembers } = await import('${root}live.ts');
    const [targets, credentials] = JSON.parse(process.env.ETCD);
    const readings = await readMembers(targets, credentials);
    for (;;) await sendCanary(readings, credentials, 60000);
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ETCD: JSON.stringify([etcd.targets, credentials]) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

test('tells when it could not be deleted', async () => {
  const open: Duplex[] = [];
  let isCut = false;
  const dial: Dial = async (...where) => {
    if (isCut) throw new Error('ECONNREFUSED');
    const stream = await dialDirect(...where);
    open.push(stream);
    return stream;
  };
  const through = readings.map((reading) =>
    reading === leader ? { ...reading, target: { ...reading.target, dial } } : reading,
  );
  etcd.member(frozen).freeze();
  try {
    const sent = sendCanary(through, credentials, 5000);
    await until('the key is there', async () => ((await keys()) === '' ? undefined : true));
    isCut = true;
    for (const stream of open) stream.destroy();
    const { leftBehind, key } = await sent;
    expect(leftBehind?.code).toBe('refused');
    expect((await keys()).trim()).toBe(key);
  } finally {
    etcd.member(frozen).thaw();
    await etcd.healthy();
  }
});
