import { expect, test } from 'vitest';
import { asDone } from '../../src/apply/control-plane-plan.ts';
import type { Change, Plan } from '../../src/diff/changes.ts';

test('what a run did is its plan, with what turned out to be needed on the way', () => {
  const object: Change = {
    kind: 'object',
    target: 'ClusterRoleBinding/x',
    action: 'create',
    reason: 'does not exist',
  };
  const quiet = { component: 'kube-apiserver', changes: [], disruption: 'none' } as const;
  const plan: Plan = {
    hosts: [
      { host: 'a', ...quiet },
      { host: 'b', ...quiet },
      { host: 'b', ...quiet, component: 'kube-scheduler' },
    ],
    findings: [],
    unreachable: [],
    objects: [],
  };
  expect(asDone(plan, new Map(), [])).toEqual(plan);
  expect(asDone(plan, new Map([['kube-apiserver', ['b']]]), [object])).toEqual({
    ...plan,
    hosts: [
      plan.hosts[0],
      {
        host: 'b',
        component: 'kube-apiserver',
        changes: [
          {
            kind: 'unit',
            target: 'kube-apiserver.service',
            action: 'restart',
            reason: 'runs and is not healthy',
          },
        ],
        disruption: 'restart',
      },
      plan.hosts[2],
    ],
    objects: [object],
  });
});
