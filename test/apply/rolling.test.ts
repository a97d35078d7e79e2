import { expect, test } from 'vitest';
import { nextOf } from '../../src/apply/rolling.ts';
import type { Member } from '../../src/apply/rollout.ts';
import { checkpoint } from '../../src/apply/work.ts';
import { votersOf } from '../../src/health/gates.ts';
import type { MemberReading } from '../../src/health/live.ts';

const names = ['node1', 'node2', 'node3'];
const members = names.map((name) => ({ name }) as Member);
const ids = new Map(names.map((name, index) => [name, `${index + 1}`]));

/** `leader` leads; `unwell` answer nothing. */
function voters(leader: string, unwell: readonly string[] = []) {
  const listed = names.map((name) => ({
    id: ids.get(name) ?? '',
    name,
    peerUrls: [],
    clientUrls: [],
    isLearner: false,
  }));
  return votersOf(
    names.map((name): MemberReading => {
      const target = { name, endpoint: `https://${name}:2379` };
      if (unwell.includes(name)) return { target, quorum: false };
      const status = {
        memberId: ids.get(name) ?? '',
        clusterId: 'c',
        version: '3.5.16',
        leaderId: ids.get(leader) ?? '',
        isLearner: false,
        raftTerm: '2',
        raftIndex: '9',
        appliedIndex: '9',
        dbSize: 1,
        dbSizeInUse: 1,
        alarms: [],
      };
      return { target, status, members: listed, quorum: true };
    }),
  );
}

test('followers go first, in the order of cluster.yaml, and the leader last, whoever it is by then', () => {
  expect(nextOf(members, voters('node1'))?.name).toBe('node2');
  expect(nextOf([members[0], members[2]] as Member[], voters('node3'))?.name).toBe('node1');
  expect(nextOf([members[0]] as Member[], voters('node1'))?.name).toBe('node1');
  expect(nextOf([], voters('node1'))).toBeUndefined();
});

test('a member that is unwell goes before all others', () => {
  expect(nextOf(members, voters('node1', ['node3']))?.name).toBe('node3');
});

test('a checkpoint lets pass what nobody wants to stop, and says where it stands otherwise', () => {
  const stop = new AbortController();
  checkpoint({ signal: stop.signal }, '1 of 3 restarts are done');
  checkpoint({}, 'nothing');
  stop.abort();
  expect(() => checkpoint({ signal: stop.signal }, '1 of 3 restarts are done')).toThrow(
    expect.objectContaining({
      message: 'Stopped, as you asked',
      details: expect.objectContaining({ why: expect.stringContaining('1 of 3 restarts are done') }),
    }),
  );
});
