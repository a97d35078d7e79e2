import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KbinError } from '../../src/errors.ts';
import { etcdHealth } from '../../src/health/etcd.ts';
import {
  canRestart,
  findLeader,
  healthyVoters,
  moveLeaderAway,
  votersOf,
  waitForAll,
  waitForMember,
  waitForQuorum,
} from '../../src/health/gates.ts';
import type { MemberReading } from '../../src/health/live.ts';
import type { EtcdCredentials } from '../../src/health/target.ts';
import { type LocalEtcd, startEtcd } from './local-etcd.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let etcd: LocalEtcd;
let credentials: EtcdCredentials;
beforeAll(async () => {
  etcd = await startEtcd();
  credentials = await etcd.credentials();
});
afterAll(() => etcd?.[Symbol.asyncDispose]());

const patient = { within: 60 };

async function errorOf(work: Promise<unknown>): Promise<KbinError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof KbinError) return error;
  throw new Error(`no KbinError but ${error}`);
}

describe('waits', () => {
  test('quorum comes with a majority, and what was seen before is told', async () => {
    await Promise.all(etcd.members.map((member) => member.stop()));
    const seen: string[] = [];
    const quorum = waitForQuorum(etcd.targets, credentials, {
      within: 60,
      onLast: (text) => seen.push(text),
    });
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await etcd.member(0).start();
    // It listens, but answers nobody before there is a majority.
    await expect.poll(() => seen.join(), { timeout: 30_000 }).toMatch(/n1 does not answer/);
    await etcd.member(1).start();
    const { leaderId, clusterId } = await quorum;
    expect(seen[0]).toMatch(/^0 of 3 members answer, no leader; n1 refuses connections/);
    const { members } = await etcdHealth(etcd.targets, credentials);
    expect(members[0]).toMatchObject({ leaderId, clusterId });

    const late = await errorOf(waitForAll(etcd.targets, credentials, { within: 1 }));
    expect(late.message).toBe('waited 1 s for all 3 etcd members to be healthy');
    expect(late.details.why).toBe('last seen: n3: refuses connections: nothing listens there');

    await etcd.member(2).start();
    const readings = await waitForAll(etcd.targets, credentials, patient);
    expect(readings.map(({ target, quorum: has }) => [target.name, has])).toEqual([
      ['n1', true],
      ['n2', true],
      ['n3', true],
    ]);
  });

  test('a frozen member ends the wait at its deadline with what was seen', async () => {
    etcd.member(2).freeze();
    try {
      const target = etcd.targets[2];
      if (target === undefined) throw new Error('three targets');
      const error = await errorOf(waitForMember(target, credentials, {}, { within: 1 }));
      expect(error.details.why).toBe('last seen: n3: does not answer (no answer after 3000 ms)');
    } finally {
      etcd.member(2).thaw();
      await waitForAll(etcd.targets, credentials, patient);
    }
  });

  test('a member comes back, caught up with what was written meanwhile', async () => {
    const [, , target] = etcd.targets;
    if (target === undefined) throw new Error('three targets');
    const before = await waitForMember(target, credentials, {}, patient);
    await etcd.member(2).stop();
    for (let i = 0; i < 5; i++) await etcd.etcdctl(['put', 'key', String(i)]);
    await etcd.member(2).start();
    const expected = {
      clusterId: before.status?.clusterId ?? '',
      memberId: before.status?.memberId ?? '',
      others: etcd.targets.slice(0, 2),
    };
    const after = await waitForMember(target, credentials, expected, patient);
    expect(Number(after.status?.appliedIndex)).toBeGreaterThanOrEqual(
      Number(before.status?.appliedIndex) + 5,
    );
  });

  test('a stranger is an error at once, not something to wait for', async () => {
    const [target] = etcd.targets;
    if (target === undefined) throw new Error('three targets');
    const cluster = await errorOf(waitForMember(target, credentials, { clusterId: 'abc' }, { within: 600 }));
    expect(cluster.message).toBe('etcd on n1 belongs to another cluster');
    const member = await errorOf(waitForMember(target, credentials, { memberId: 'abc' }, { within: 600 }));
    expect(member.message).toBe('etcd on n1 is another member than before');
  });

  test('a wait can be given up', async () => {
    const nobody = [{ name: 'gone', endpoint: 'https://127.0.0.1:1' }];
    const signal = AbortSignal.timeout(300);
    await expect(waitForAll(nobody, credentials, { within: 600, signal })).rejects.toThrow();
  });
});

describe('leadership', () => {
  test('is moved away from the one that leads, and left alone elsewhere', async () => {
    const leader = await findLeader(etcd.targets, credentials, patient);
    const heir = await moveLeaderAway(etcd.targets, credentials, leader.target.name, patient);
    expect(heir.target.name).not.toBe(leader.target.name);
    const again = await moveLeaderAway(etcd.targets, credentials, leader.target.name, patient);
    expect(again.target.name).toBe(heir.target.name);
    const status = await etcd.etcdctl(['endpoint', 'status', '-w', 'simple'], heir.target.endpoint);
    expect(status.split(', ')[4]).toBe('true');
  });

  test('stays where nobody can take it', async () => {
    const { leader } = await healthyVoters(etcd.targets, credentials);
    const name = leader?.target.name ?? '';
    const alone = etcd.targets.filter((target) => target.name === name);
    const error = await errorOf(moveLeaderAway(alone, credentials, name, { within: 1 }));
    expect(error.details.why).toBe(`last seen: ${name} leads, and no other voter is healthy`);
  });
});

describe('who may be restarted', () => {
  test('live: three can spare one, and none when one is down', async () => {
    const all = await healthyVoters(etcd.targets, credentials);
    expect(all).toMatchObject({ total: 3, quorum: 2 });
    expect(etcd.members.map(({ name }) => canRestart(all, name).allowed)).toEqual([true, true, true]);
    await etcd.member(2).stop();
    try {
      await expect
        .poll(async () => (await healthyVoters(etcd.targets, credentials)).healthy.length, {
          timeout: 30_000,
        })
        .toBe(2);
      const two = await healthyVoters(etcd.targets, credentials);
      expect(canRestart(two, 'n3')).toEqual({ allowed: true });
      expect(canRestart(two, 'n1')).toEqual({
        allowed: false,
        why: 'without n1 1 of 3 voting members would be left healthy (n2), and 2 are needed for quorum',
      });
    } finally {
      await etcd.member(2).start();
      await waitForAll(etcd.targets, credentials, patient);
    }
  });

  function reading(
    name: string,
    over: Partial<MemberReading['status']> & { quorum?: boolean } = {},
  ): MemberReading {
    const { quorum = true, ...status } = over;
    return {
      target: { name, endpoint: `https://${name}:2379` },
      quorum,
      status: {
        memberId: name,
        clusterId: 'c',
        version: '3.5.16',
        leaderId: 'a',
        isLearner: false,
        raftTerm: '2',
        raftIndex: '10',
        appliedIndex: '10',
        dbSize: 0,
        dbSizeInUse: 0,
        alarms: [],
        ...status,
      },
      members: members(3),
    };
  }
  function members(count: number, learners = 0) {
    return Array.from({ length: count + learners }, (_, index) => ({
      id: 'abcdefg'[index] ?? '',
      name: 'abcdefg'[index] ?? '',
      peerUrls: [],
      clientUrls: [],
      isLearner: index >= count,
    }));
  }
  const down = (name: string): MemberReading => ({
    target: { name, endpoint: `https://${name}:2379` },
    quorum: false,
    failure: { code: 'refused', message: 'refuses connections', next: '' },
  });

  test.each<[string, readonly MemberReading[], string, boolean]>([
    ['one of three', [reading('a'), reading('b'), reading('c')], 'a', true],
    ['one of three, another down', [reading('a'), reading('b'), down('c')], 'a', false],
    ['the one that is down', [reading('a'), reading('b'), down('c')], 'c', true],
    [
      'one that others outvote, which has no quorum',
      [reading('a'), reading('b'), reading('c', { quorum: false })],
      'a',
      false,
    ],
    [
      'a learner beside one voter',
      [{ ...reading('a'), members: members(1, 1) }, reading('b', { isLearner: true })],
      'b',
      true,
    ],
    [
      'the voter beside a learner',
      [{ ...reading('a'), members: members(1, 1) }, reading('b', { isLearner: true })],
      'a',
      false,
    ],
    ['the only one', [{ ...reading('a'), members: members(1) }], 'a', false],
    [
      'one of two',
      [
        { ...reading('a'), members: members(2) },
        { ...reading('b'), members: members(2) },
      ],
      'a',
      false,
    ],
    ['one of three of which only two are targets', [reading('a'), reading('b')], 'a', false],
    [
      'one of five, another down',
      [...'abcd'].map((name) => ({ ...reading(name), members: members(5) })),
      'a',
      true,
    ],
    [
      'one of five, two others down',
      [...'abc'].map((name) => ({ ...reading(name), members: members(5) })),
      'a',
      false,
    ],
  ])('%s', (_what, readings, name, allowed) => {
    expect(canRestart(votersOf(readings), name).allowed).toBe(allowed);
  });
});
