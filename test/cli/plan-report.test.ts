import { describe, expect, test } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { printPlan } from '../../src/cli/plan-report.ts';
import { type Gap, type HostPlan, isComplete, type Plan, type PlanFinding } from '../../src/diff/changes.ts';

const gap = (what: string, incomplete: boolean): PlanFinding & { gap: Gap } => ({
  severity: 'warning',
  code: 'gap',
  message: `${what}: for a reason`,
  next: 'mend it',
  gap: { what, incomplete },
});
const noPrograms = gap('the programs were not compared', true);
const notAsked = gap('etcd was not asked', false);
const restart = { kind: 'unit', target: 'etcd.service', action: 'restart', reason: 'because' } as const;

const plan = (findings: readonly PlanFinding[], more: Partial<Plan> = {}): Plan => ({
  hosts: ['a', 'b'].map((host) => ({ host, component: 'etcd', changes: [], disruption: 'none' })),
  unreachable: [],
  objects: [],
  findings,
  ...more,
});

function printed(given: Plan, options?: { diff: boolean }): string {
  const said: string[] = [];
  printPlan({ out: (text: string) => void said.push(text), colour: false } as Io, given, options);
  return said.join('');
}

const lastLine = (given: Plan) => printed(given).trimEnd().split('\n').at(-1) ?? '';

describe('the line that sums up never says more than was compared', () => {
  test.each<[string, Plan, boolean]>([
    ['nothing to do: 2 hosts as cluster.yaml wants', plan([]), true],
    [
      'incomplete: the programs were not compared; nothing that was compared differs on 2 hosts',
      plan([noPrograms]),
      false,
    ],
    ['nothing that was compared differs on 2 hosts; etcd was not asked', plan([notAsked]), true],
    [
      'incomplete: 1 host did not answer, the programs were not compared; nothing that was compared differs on 2 hosts; etcd was not asked',
      plan([noPrograms, notAsked], { unreachable: [{ host: 'c', reason: 'cut off' }] }),
      false,
    ],
    [
      'incomplete: the programs were not compared; 1 change on 1 host, restart etcd on 1 host',
      plan([noPrograms], {
        hosts: [{ host: 'a', component: 'etcd', changes: [restart], disruption: 'restart' }],
      }),
      false,
    ],
  ])('%s', (line, given, complete) => {
    expect(lastLine(given)).toBe(line);
    expect(isComplete(given)).toBe(complete);
  });
});

const start = (target: string) =>
  ({ kind: 'unit', target, action: 'start', reason: 'not there yet' }) as const;
const many = (count: number, component: string): HostPlan[] =>
  Array.from({ length: count }, (_, index) => ({
    host: `h${index + 1}`,
    component,
    changes: [start(`${component}.service`)],
    disruption: 'start',
  }));

test('what is the same on many hosts is said once, in the order of components', () => {
  const [first, ...others] = many(60, 'etcd');
  if (first === undefined) throw new Error('none');
  const apiservers = many(5, 'kube-apiserver').map((host, index) =>
    index === 4 ? { ...host, changes: [], disruption: 'none' as const } : host,
  );
  const odd = { ...first, changes: [{ ...start('etcd.service'), reason: 'has failed' }] };
  expect(printed(plan([], { hosts: [odd, ...apiservers, ...others] }))).toBe(
    `HOSTS                   ACTION  TARGET                  WHY
h1                      start   etcd.service            has failed
h2, h3, h4 and 56 more  start   etcd.service            not there yet
h1, h2, h3 and 1 more   start   kube-apiserver.service  not there yet

64 changes on 60 hosts, start etcd on 60 hosts, start kube-apiserver on 4 hosts
`,
  );
  expect(printed(plan([], { hosts: many(60, 'etcd') }))).toContain(
    'all 60  start   etcd.service  not there yet',
  );
});

test('objects inside Kubernetes are listed, counted, and their difference is shown', () => {
  const object = {
    kind: 'object',
    target: 'ClusterRoleBinding/kbin:x',
    action: 'update',
    reason: 'subjects differs',
    diff: '--- a\n+++ b\n',
  } as const;
  const given = plan([], { objects: [object] });
  expect(printed(given, { diff: true })).toBe(
    `HOSTS       ACTION  TARGET                     WHY
Kubernetes  update  ClusterRoleBinding/kbin:x  subjects differs

# Kubernetes
--- a
+++ b

1 object in Kubernetes
`,
  );
});
