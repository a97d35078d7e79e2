import { describe, expect, test } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { printPlan } from '../../src/cli/plan-report.ts';
import { type Gap, isComplete, type Plan, type PlanFinding } from '../../src/diff/changes.ts';

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

function lastLine(given: Plan): string {
  const said: string[] = [];
  printPlan({ out: (text: string) => void said.push(text), colour: false } as Io, given);
  return said.join('').trimEnd().split('\n').at(-1) ?? '';
}

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
      'incomplete: the programs were not compared; 1 change on 1 host, 1 restart',
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
