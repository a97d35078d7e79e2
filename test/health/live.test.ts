import { expect, test, vi } from 'vitest';
import { canRestart, healthyVoters, moveLeaderAway } from '../../src/health/gates.ts';
import { readAgain, readMember, readMembers } from '../../src/health/live.ts';
import { freePorts, startEtcd } from './local-etcd.ts';

vi.setConfig({ testTimeout: 120_000 });

test('members whose port was changed and that were not restarted yet are asked where they serve', async () => {
  await using etcd = await startEtcd();
  const credentials = await etcd.credentials();
  const ports = await freePorts(2, '127.0.0.1');
  // Two of three still serve at their former port.
  const targets = etcd.targets.map((target, index) => {
    const port = ports[index];
    return port === undefined
      ? target
      : { ...target, endpoint: `https://127.0.0.1:${port}`, former: target.endpoint };
  });
  const [first] = targets;
  if (first === undefined) throw new Error('no target');

  const reading = await readMember(first, credentials);
  expect([reading.quorum, reading.target.endpoint]).toEqual([true, etcd.targets[0]?.endpoint]);

  const voters = await healthyVoters(targets, credentials);
  expect(voters.healthy.map(({ target }) => target.name)).toEqual(targets.map(({ name }) => name));
  expect(canRestart(voters, first.name).allowed).toBe(true);
  const leader = voters.leader?.target.name ?? '';
  const patience = { within: 30, onLast: () => {} };
  const next = await moveLeaderAway(targets, credentials, leader, patience);
  expect(next.target.name).not.toBe(leader);
});

test('a member that serves at neither port failed at the present one', async () => {
  const [present, former] = (await freePorts(2, '127.0.0.1')).map((port) => `https://127.0.0.1:${port}`);
  await using etcd = await startEtcd({ size: 1 });
  const target = { name: 'one', endpoint: present ?? '', former: former ?? '' };
  const reading = await readMember(target, await etcd.credentials());
  expect([reading.failure?.code, reading.target]).toEqual(['refused', target]);
});

test('a member that was only starting when it was asked is asked again', async () => {
  await using etcd = await startEtcd({ size: 1 });
  const credentials = await etcd.credentials();
  await etcd.member(0).stop();
  const first = await readMembers(etcd.targets, credentials);
  expect(first.map(({ failure }) => failure?.code)).toEqual(['refused']);
  await etcd.member(0).start();
  await etcd.healthy();
  const again = await readAgain(first, etcd.targets, credentials);
  expect(again.map(({ quorum, failure }) => [quorum, failure])).toEqual([[true, undefined]]);
  expect(await readAgain(again, etcd.targets, credentials)).toBe(again);
});
