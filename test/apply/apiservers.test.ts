import { expect, test } from 'vitest';
import { canRestartApiserver, nextApiserver, refuseRestart } from '../../src/apply/apiservers.ts';
import { outsiders, refuseWithoutEtcd } from '../../src/apply/control-plane-etcd.ts';
import type { Deployment } from '../../src/apply/deployment.ts';
import { nextElected } from '../../src/apply/elected.ts';
import type { Workplace } from '../../src/apply/work.ts';
import type { ApiReading } from '../../src/health/api-gates.ts';
import { votersOf } from '../../src/health/gates.ts';
import type { MemberReading } from '../../src/health/live.ts';
import { exampleCluster } from '../cluster/fixture.ts';

const names = ['node1', 'node2', 'node3'];
const places = names.map(
  (name) => ({ name, task: { observed: { facts: { hostName: name.toUpperCase() } } } }) as Workplace,
);
const [node1, node2, node3] = places as [Workplace, Workplace, Workplace];

type Kind = 'ready' | 'unready' | 'refused' | 'silent' | 'out-of-reach';
const reading = (host: string, kind: Kind): ApiReading => {
  const target = { name: host, address: '10.0.0.1', port: 6443 };
  if (kind === 'ready') return { host, target, reachable: true, ready: true };
  if (kind === 'unready') return { host, target, reachable: true, ready: false, notReady: ['etcd'] };
  const code = kind === 'silent' ? 'no-answer' : kind;
  return { host, target, reachable: false, failure: { code, message: `is ${kind}`, next: 'look' } };
};
const seen = (...kinds: Kind[]) => kinds.map((kind, index) => reading(names[index] ?? '', kind));

test('those that are not ready are restarted first, then as in cluster.yaml', () => {
  expect(nextApiserver(places, seen('ready', 'ready', 'ready'))).toBe(node1);
  expect(nextApiserver(places, seen('ready', 'ready', 'unready'))).toBe(node3);
  expect(nextApiserver([node2, node3], seen('unready', 'ready', 'ready'))).toBe(node2);
});

test('one is restarted only while another is ready, or when it serves nobody', () => {
  const allowed = (name: string, ...kinds: Kind[]) => canRestartApiserver(seen(...kinds), name).allowed;
  expect(allowed('node1', 'ready', 'ready', 'ready')).toBe(true);
  expect(allowed('node1', 'ready', 'refused', 'ready')).toBe(true);
  expect(allowed('node1', 'ready', 'unready', 'refused')).toBe(false);
  expect(allowed('node2', 'ready', 'unready', 'refused')).toBe(true);
  expect(allowed('node1', 'unready', 'unready', 'unready')).toBe(true);
  expect(allowed('node1', 'silent', 'unready', 'unready')).toBe(false);
});

test('what is refused says why, and --allow-downtime goes past it, but not past an apiserver that nobody can ask', () => {
  expect(() => refuseRestart(seen('ready'), 'node1', false)).toThrow(
    expect.objectContaining({
      message: 'kube-apiserver on node1 cannot be restarted without an outage',
      details: expect.objectContaining({
        why: 'node1 is the only control-plane host',
        next: expect.stringContaining('--allow-downtime'),
      }),
    }),
  );
  expect(() => refuseRestart(seen('ready', 'unready', 'refused'), 'node1', false)).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({
        why: 'no other apiserver is ready (node2 not ready: etcd; node3 is refused)',
      }),
    }),
  );
  refuseRestart(seen('ready', 'unready', 'refused'), 'node1', true);
  expect(() => refuseRestart(seen('out-of-reach', 'ready', 'ready'), 'node1', true)).toThrow(
    'kube-apiserver on node1 runs and cannot be asked',
  );
});

test('of controller-managers those that are unwell go first and the leader last', () => {
  expect(nextElected(places, [], 'node1')).toBe(node2);
  expect(nextElected(places, [node3], 'node1')).toBe(node3);
  expect(nextElected([node1], [], 'node1')).toBe(node1);
  expect(nextElected(places, [], undefined)).toBe(node1);
});

/** etcd on the three hosts, of which `members` are in its list and `up` answer. */
function voters(members: readonly string[], up: readonly string[]) {
  const url = (name: string) => `https://${name}:2380`;
  const listed = members.map((name) => ({
    id: name,
    name,
    peerUrls: [url(name)],
    clientUrls: [],
    isLearner: false,
  }));
  return votersOf(
    names.map((name): MemberReading => {
      const expected = { name, peerUrls: [url(name)], clientUrls: [] };
      const target = { name, endpoint: `https://${name}:2379`, expected };
      if (!up.includes(name)) {
        return { target, quorum: false, failure: { code: 'refused', message: 'refuses', next: 'look' } };
      }
      const status = { memberId: name, leaderId: up[0] } as MemberReading['status'];
      return { target, ...(status === undefined ? {} : { status }), members: listed, quorum: true };
    }),
  );
}

test('an etcd without quorum stops a deploy, and so does one that lacks hosts of cluster.yaml', () => {
  const deployment = { cluster: exampleCluster() } as Deployment;
  refuseWithoutEtcd(deployment, voters(names, names));
  refuseWithoutEtcd(deployment, voters(names, ['node1', 'node2']));
  expect(() => refuseWithoutEtcd(deployment, voters(names, []))).toThrow(
    expect.objectContaining({
      message: 'etcd is not healthy, and no apiserver comes up without it',
      details: expect.objectContaining({ next: 'Run `kbin etcd deploy` first.' }),
    }),
  );
  expect(outsiders(voters(names, ['node1', 'node2']))).toEqual([]);
  expect(() => refuseWithoutEtcd(deployment, voters(['node1'], ['node1']))).toThrow(
    'etcd on node2, node3 is not a member of the cluster yet',
  );
});
