import { describe, expect, test } from 'vitest';
import type { EtcdReading, MemberAction } from '../../src/diff/etcd-membership.ts';
import { etcdPreflight } from '../../src/diff/etcd-preflight.ts';
import type { HostSides } from '../../src/diff/preflight.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { facts } from './simulated-host.ts';

const runs = (version: string, name = 'a'): EtcdReading => ({
  target: { name },
  status: { memberId: '1', clusterId: '2', version },
  members: [],
  quorum: true,
});

function codes(version: string, readings: readonly EtcdReading[], action: MemberAction = 'keep'): string[] {
  const members = [{ host: 'a', action, reason: '', joining: { kind: 'new' as const } }];
  return etcdPreflight(exampleCluster({ etcd: { version } }), [], readings, { members }).map(
    ({ severity, code, host }) => `${severity} ${code}@${host}`,
  );
}

describe('from the release that runs to the one that is wanted', () => {
  test.each([
    ['3.5.16', '3.5.16', []],
    ['3.5.16', '3.5.17', []],
    ['3.4.23', '3.5.16', []],
    ['3.5.26', '3.6.5', []],
    ['3.5.30', '3.6.5', []],
    ['3.5.25', '3.6.5', ['stop upgrade-too-early@a']],
    ['3.6.11', '3.7.0', []],
    ['3.6.10', '3.7.0', ['stop upgrade-too-early@a']],
    ['3.4.23', '3.6.5', ['stop skipped-minor@a']],
    ['3.4.23', '3.7.0', ['stop skipped-minor@a']],
    ['3.6.5', '3.5.26', ['stop downgrade@a']],
    ['3.5.26', '3.5.16', ['warning older-patch@a']],
    ['not a version', '3.5.16', []],
  ])('%s to %s', (from, to, expected) => {
    expect(codes(to, [runs(from)])).toEqual(expected);
  });

  test('each member is looked at: an upgrade that was cut off goes on', () => {
    expect(codes('3.5.16', [runs('3.4.23'), runs('3.5.16', 'b')])).toEqual([]);
    expect(codes('3.6.5', [runs('3.5.16'), runs('3.5.26', 'b')])).toEqual(['stop upgrade-too-early@a']);
  });

  test('nobody answers: a new cluster needs nothing, an old one a look', () => {
    expect(codes('3.5.16', [{ target: { name: 'a' }, quorum: false }], 'bootstrap')).toEqual([]);
    expect(codes('3.5.16', [{ target: { name: 'a' }, quorum: false }], 'repair')).toEqual([
      'warning version-unknown@undefined',
    ]);
  });
});

test('a setting that the release does not have', () => {
  const cluster = exampleCluster({
    etcd: { version: '3.6.5', environment: { ETCD_ENABLE_V2: 'false', ETCD_MAX_WALS: '3' } },
  });
  expect(etcdPreflight(cluster, [], [], { members: [] })).toEqual([
    {
      severity: 'warning',
      code: 'unknown-setting',
      message:
        'etcd.environment sets ETCD_ENABLE_V2, which does nothing: etcd 3.6.5 does not have it (it exists until 3.5)',
      next: 'take it out of cluster.yaml, or correct its name',
    },
  ]);
});

test('a disk smaller than the quota, before a member begins on it', () => {
  const cluster = exampleCluster();
  const host = cluster.hosts[0];
  const freeBytes = new Map([['/var/lib/etcd', 5 * 1024 ** 3]]);
  const side = { host, observed: { facts: { ...facts, freeBytes } } } as unknown as HostSides;
  const found = (action: MemberAction) =>
    etcdPreflight(cluster, [side], [runs('3.6.5')], {
      members: [{ host: host?.name ?? '', action, reason: '', joining: { kind: 'new' } }],
    }).map(({ message }) => message);
  expect(found('bootstrap')).toEqual(['/var/lib/etcd has 5.0 GiB free, etcd may use 8.0 GiB']);
  expect(found('join')).toHaveLength(1);
  expect(found('keep')).toEqual([]);
});
