import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Plan } from '../../src/diff/changes.ts';
import { KbinError } from '../../src/errors.ts';
import type { Check } from '../../src/health/check.ts';
import { foreignCredentials, foreignTargets } from '../../src/verify/foreign.ts';
import { planChecks } from '../../src/verify/plan-checks.ts';
import { report } from '../../src/verify/report.ts';

const began = new Date('2026-11-21T01:02:03.400Z');
const ended = new Date('2026-11-21T01:02:04.650Z');
const emptyPlan: Plan = { hosts: [], objects: [], findings: [], unreachable: [] };
const well: Check = { id: 'alarms', status: 'pass', message: 'none' };

describe('a report', () => {
  test('of a foreign cluster has no plan', () => {
    expect(report({ subject: 'etcd at a', began, ended, etcd: { members: [], checks: [well] } })).toEqual({
      subject: 'etcd at a',
      at: '2026-11-21T01:02:03.400Z',
      seconds: 1.25,
      healthy: true,
      counts: { pass: 1, warn: 0, fail: 0, skip: 0 },
      sections: [{ name: 'etcd', checks: [well] }],
      members: [],
    });
  });

  test.each<[string, Plan, boolean]>([
    [
      'an empty plan',
      { ...emptyPlan, hosts: [{ host: 'a', component: 'etcd', changes: [], disruption: 'none' }] },
      true,
    ],
    [
      'a plan with a change',
      {
        ...emptyPlan,
        hosts: [
          {
            host: 'a',
            component: 'etcd',
            changes: [
              { kind: 'file', target: '/etc/etcd/etcd.conf', action: 'update', reason: 'content differs' },
            ],
            disruption: 'restart',
          },
        ],
      },
      false,
    ],
    [
      'a host that does not answer',
      { ...emptyPlan, unreachable: [{ host: 'a', reason: 'no route' }] },
      false,
    ],
    [
      'a finding that stops',
      { ...emptyPlan, findings: [{ severity: 'stop', code: 'foreign-data', message: 'm', next: 'n' }] },
      false,
    ],
    [
      'a warning',
      { ...emptyPlan, findings: [{ severity: 'warning', code: 'even-members', message: 'm', next: 'n' }] },
      true,
    ],
  ])('with healthy etcd and %s', (_what, plan, healthy) => {
    const etcd = { members: [], checks: [well] };
    expect(report({ subject: 'cluster prod', began, ended, etcd, plan }).healthy).toBe(healthy);
  });

  test('with an empty plan and a failed check is not healthy', () => {
    const etcd = { members: [], checks: [{ ...well, status: 'fail' as const }] };
    expect(report({ subject: 'cluster prod', began, ended, etcd, plan: emptyPlan }).healthy).toBe(false);
  });
});

test('a plan as checks: what is wrong is said once, in words', () => {
  const change = {
    kind: 'file',
    target: '/etc/etcd/etcd.conf',
    action: 'update',
    reason: 'content differs',
  } as const;
  const plan: Plan = {
    objects: [],
    hosts: [
      { host: 'a', component: 'etcd', changes: [], disruption: 'none' },
      { host: 'b', component: 'etcd', changes: [change, change, change], disruption: 'restart' },
    ],
    unreachable: [{ host: 'c', reason: 'no route' }],
    findings: [
      { severity: 'stop', host: 'c', code: 'host-unreachable', message: 'c does not answer', next: 'n' },
      { severity: 'warning', host: 'a', code: 'clock-skew', message: '2 s', next: 'n' },
      {
        severity: 'warning',
        code: 'binaries-unknown',
        message: 'not compared',
        next: 'n',
        gap: { what: 'the programs', incomplete: true },
      },
    ],
  };
  expect(planChecks(plan)).toEqual([
    { id: 'host-reachable', target: 'c', status: 'fail', message: 'no route', next: expect.any(String) },
    { id: 'etcd-unchanged', target: 'a', status: 'pass', message: 'is as cluster.yaml says' },
    {
      id: 'etcd-unchanged',
      target: 'b',
      status: 'fail',
      message: 'differs from cluster.yaml: update /etc/etcd/etcd.conf (content differs), and 2 more',
      next: expect.any(String),
    },
    { id: 'clock-skew', target: 'a', status: 'warn', message: '2 s', next: 'n' },
    { id: 'binaries-unknown', status: 'fail', message: 'not compared', next: 'n' },
  ]);
});

describe('a cluster that kbin did not deploy', () => {
  test('has a target per endpoint, in one form', () => {
    expect(
      foreignTargets({
        endpoints: [
          'https://10.0.0.1:2379/',
          '10.0.0.2',
          'https://[FD00:0::1]:2379',
          'http://etcd.example:80',
        ],
      }),
    ).toEqual([
      { name: '10.0.0.1:2379', endpoint: 'https://10.0.0.1:2379' },
      { name: '10.0.0.2:2379', endpoint: 'https://10.0.0.2:2379' },
      { name: '[fd00::1]:2379', endpoint: 'https://[fd00::1]:2379' },
      { name: 'etcd.example:80', endpoint: 'http://etcd.example:80' },
    ]);
  });

  test.each([
    [['https://10.0.0.1:2379', '10.0.0.1'], 'the endpoint https://10.0.0.1:2379 is given twice'],
    [['ftp://10.0.0.1'], 'not an etcd endpoint: ftp://10.0.0.1'],
    [['https://10.0.0.1:2379/v3'], 'not an etcd endpoint: https://10.0.0.1:2379/v3'],
    [['https://10.0.0.1:99999'], 'not an etcd endpoint: https://10.0.0.1:99999'],
    [[], 'no endpoint is given'],
  ])('%j is refused', (endpoints, message) => {
    expect(() => foreignTargets({ endpoints })).toThrow(message);
  });

  test('has its files read, and each mistake named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kbin-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, 'PEM');
    expect(await foreignCredentials({ endpoints: [], ca })).toEqual({ ca: 'PEM' });
    await expect(foreignCredentials({ endpoints: [], cert: ca })).rejects.toThrow(
      'a client certificate and its key belong together, and only the certificate is given',
    );
    const gone = foreignCredentials({ endpoints: [], cert: ca, key: `${folder}/none` });
    await expect(gone).rejects.toThrow(`cannot read the client key ${folder}/none`);
    await expect(gone).rejects.toSatisfy((error) => error instanceof KbinError && error.details.exit === 2);
  });
});
