import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import type { Change, HostPlan, Plan } from '../../src/diff/changes.ts';
import { KbinError } from '../../src/errors.ts';
import type { Check, ControlPlaneHealth } from '../../src/health/check.ts';
import { foreignCredentials, foreignTargets } from '../../src/verify/foreign.ts';
import { hasNothingOf } from '../../src/verify/only-creates.ts';
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
      controlPlane: [],
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

describe('a report of a cluster that wants a control plane', () => {
  const etcd = { members: [], checks: [well] };
  const toCreate = (component: string, ...more: Change[]): HostPlan => ({
    host: 'a',
    component,
    changes: [
      { kind: 'directory', target: '/etc/kubernetes', action: 'update', reason: 'mode 0700, wanted 0755' },
      { kind: 'file', target: `/etc/${component}`, action: 'create', reason: 'does not exist' },
      { kind: 'unit', target: `${component}.service`, action: 'reload', reason: 'the unit file changes' },
      { kind: 'unit', target: `${component}.service`, action: 'start', reason: 'is not there' },
      ...more,
    ],
    disruption: 'start',
  });
  const own = controlPlaneComponents.map((component) => toCreate(component));
  const binariesUnknown = (what: string) =>
    ({
      severity: 'warning',
      code: 'binaries-unknown',
      message: 'm',
      next: 'n',
      gap: { what, incomplete: true },
    }) as const;
  const plan: Plan = {
    ...emptyPlan,
    hosts: [{ host: 'a', component: 'etcd', changes: [], disruption: 'none' }, ...own],
    findings: [binariesUnknown('the programs of kubernetes on the hosts were not compared')],
  };

  test('has its checks in a section of their own, and its hosts', () => {
    const hosts: ControlPlaneHealth['hosts'] = [];
    const failed: Check = { id: 'apiserver-ready', target: 'a', status: 'fail', message: 'm', next: 'n' };
    const found = report({ subject: 's', began, ended, etcd, controlPlane: { hosts, checks: [failed] } });
    expect(found.healthy).toBe(false);
    expect(found.sections.at(-1)).toEqual({ name: 'control-plane', checks: [failed] });
    expect(found.controlPlane).toBe(hosts);
  });

  test('that was never deployed is healthy, with one warning', () => {
    const found = report({ subject: 's', began, ended, etcd, plan, controlPlane: 'not-deployed' });
    expect(found).toMatchObject({ healthy: true, counts: { pass: 2, warn: 1, fail: 0 }, controlPlane: [] });
    expect(found.sections.at(-1)?.checks).toMatchObject([
      { id: 'control-plane-not-deployed', status: 'warn', next: 'run `kbin control-plane deploy`' },
    ]);
    // Everything else in the plan still counts.
    const findings = [binariesUnknown('the programs of etcd on the hosts were not compared')];
    expect(
      report({ subject: 's', began, ended, etcd, plan: { ...plan, findings }, controlPlane: 'not-deployed' })
        .healthy,
    ).toBe(false);
  });

  test('that is missing on one host is not healthy, and the plan says what to run', () => {
    const found = report({ subject: 's', began, ended, etcd, plan, controlPlane: { hosts: [], checks: [] } });
    expect(found.healthy).toBe(false);
    expect(found.sections[0]?.checks).toContainEqual({
      id: 'kube-scheduler-unchanged',
      target: 'a',
      status: 'fail',
      message: expect.stringContaining('differs from cluster.yaml'),
      next: '`kbin plan` shows everything that differs, `kbin control-plane deploy` puts it right',
    });
  });

  test.each<[string, Plan, readonly string[], boolean]>([
    ['all of it would have to be made', plan, ['a'], true],
    ['on another host it is as it should be', plan, ['a', 'b'], false],
    ['a component is there', { ...plan, hosts: own.slice(1) }, ['a'], false],
    [
      'a component is as it should be',
      { ...plan, hosts: [{ ...toCreate('kube-apiserver'), changes: [] }, ...own.slice(1)] },
      ['a'],
      false,
    ],
    [
      'a file of it differs',
      {
        ...plan,
        hosts: [
          ...own.slice(0, 2),
          toCreate('kube-scheduler', {
            kind: 'file',
            target: '/f',
            action: 'update',
            reason: 'content differs',
          }),
        ],
      },
      ['a'],
      false,
    ],
    ['no host answered', { ...plan, hosts: [] }, ['a'], false],
  ])('there is nothing of it yet: %s', (_what, seen, hosts, nothing) => {
    expect(hasNothingOf(seen, hosts)).toBe(nothing);
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
