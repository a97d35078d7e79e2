import { expect, test } from 'vitest';
import { hostProof, outstanding } from '../../../src/cli/pki/rotation-proof.ts';
import type { Plan } from '../../../src/diff/changes.ts';
import { exampleCluster, exampleHost } from '../../cluster/fixture.ts';

const cluster = exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')] });
const change = { kind: 'unit', target: 'etcd.service', action: 'restart', reason: 'ca.crt changes' } as const;

function planOf(part: Partial<Plan>): Plan {
  return { hosts: [], objects: [], findings: [], unreachable: [], ...part };
}

const etcdChanges = (changes: readonly (typeof change)[]): Plan =>
  planOf({ hosts: [{ host: 'm1', component: 'etcd', changes, disruption: 'none' }] });

test('a host with nothing outstanding is proven, and says what runs', () => {
  const open = outstanding(cluster, ['etcd'], 'm1', etcdChanges([]));
  expect(open).toMatchObject({ isConcerned: true, components: ['etcd'], shortcomings: [] });
  expect(hostProof('m1', open, [], { seen: 'trusts both', phase: 0, proven: 'etcd runs with it' })).toEqual({
    host: 'm1',
    phase: 0,
    proven: true,
    says: 'trusts both; etcd runs with it',
  });
});

test('what a deploy would still do there, a stop, or the wire: each keeps it from being proven', () => {
  const proof = (plan: Plan, wire: readonly string[] = []) =>
    hostProof('m1', outstanding(cluster, ['etcd'], 'm1', plan), wire, { proven: 'all well' });
  expect(proof(etcdChanges([change]))).toEqual({
    host: 'm1',
    proven: false,
    says: 'etcd: restart etcd.service (ca.crt changes)',
  });
  const stop = { severity: 'stop', code: 'port-taken', message: 'a port is taken', next: 'free it' } as const;
  expect(proof(planOf({ findings: [stop] }))).toMatchObject({ proven: false, says: 'a port is taken' });
  expect(proof(planOf({ findings: [{ ...stop, host: 'm2' }] }))).toMatchObject({ proven: true });
  expect(proof(planOf({}), ['etcd’s peer port refuses'])).toMatchObject({
    proven: false,
    says: 'etcd’s peer port refuses',
  });
});

test('of a host that does not answer nothing is said but that', () => {
  const open = outstanding(
    cluster,
    ['etcd'],
    'm1',
    planOf({ unreachable: [{ host: 'm1', reason: 'no route' }] }),
  );
  expect(hostProof('m1', open, [], { proven: 'all well', phase: 1 })).toEqual({
    host: 'm1',
    proven: false,
    reached: false,
    says: 'no route',
  });
});

test('what another deploy brings is not its business', () => {
  const plan = planOf({
    hosts: [{ host: 'm1', component: 'kube-apiserver', changes: [change], disruption: 'restart' }],
  });
  expect(outstanding(cluster, ['etcd'], 'm1', plan).shortcomings).toEqual([]);
});
