import { describe, expect, test } from 'vitest';
import { desire } from '../../src/desired/desire.ts';
import { type HostSides, preflight } from '../../src/diff/preflight.ts';
import type { HostFacts, Observed, ObservedListener, ObservedUnit } from '../../src/observe/observed.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';
import { facts } from './simulated-host.ts';

const cluster = exampleCluster({ kubernetes: { version: undefined } });
const MiB = 1024 * 1024;
const binaries = new Map([
  ['etcd', { path: '/cache/etcd', sha256: 'aa', size: 30 * MiB }],
  ['etcdctl', { path: '/cache/etcdctl', sha256: 'bb', size: 20 * MiB }],
]);

const running: ObservedUnit = {
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  enabled: 'enabled',
  needDaemonReload: false,
  dropIns: [],
  mainPid: 4711,
  executableReplaced: false,
  result: 'success',
};

interface Found {
  readonly facts?: Partial<HostFacts>;
  readonly unit?: Partial<ObservedUnit>;
  readonly listeners?: readonly ObservedListener[];
  readonly paths?: Observed['paths'];
}

function sides(index: number, found: Found = {}): HostSides {
  const host = cluster.hosts[index];
  if (host === undefined) throw new Error('no such host');
  return {
    host,
    desired: desire(cluster, host, { store: fullStore(), binaries }),
    observed: {
      host: host.name,
      facts: { ...facts, ...found.facts },
      paths: found.paths ?? new Map(),
      units: new Map([['etcd.service', { ...running, ...found.unit }]]),
      dataDirectories: new Map(),
      listeners: found.listeners ?? [],
      accounts: [],
      leftovers: [],
    },
  };
}

/** `severity code@host: message` */
function findings(...hosts: HostSides[]): string[] {
  return preflight(cluster, hosts).map(
    ({ severity, code, host, message }) =>
      `${severity} ${code}${host === undefined ? '' : `@${host}`}: ${message}`,
  );
}

const name = 'k8s-master1';
const other = { type: 'directory', mode: 0o755, owner: 'root', group: 'root' } as const;

test('a host as it should be', () => {
  const own = { port: 2379, address: '192.168.31.71', process: 'etcd', pid: 4711 };
  expect(findings(sides(0, { listeners: [own] }), sides(1), sides(2))).toEqual([]);
});

test.each<[string, Found, string[]]>([
  [
    'arm64 where amd64 was said',
    { facts: { machine: 'aarch64' } },
    [`stop wrong-architecture@${name}: the host is arm64 (aarch64), cluster.yaml says amd64`],
  ],
  [
    'a machine that kbin does not know',
    { facts: { machine: 'riscv64' } },
    [`stop wrong-architecture@${name}: the host is riscv64 (riscv64), cluster.yaml says amd64`],
  ],
  [
    'no systemd',
    { facts: { init: 'runit' } },
    [`stop no-systemd@${name}: process 1 of the host is runit, not systemd`],
  ],
  [
    'a masked unit',
    { unit: { enabled: 'masked', loadState: 'masked', mainPid: 0 } },
    [`stop unit-masked@${name}: etcd.service is masked: systemd will not start it`],
  ],
  [
    'a drop-in',
    { unit: { dropIns: ['/etc/systemd/system/etcd.service.d/x.conf'] } },
    [`warning drop-in@${name}: etcd.service is changed by /etc/systemd/system/etcd.service.d/x.conf`],
  ],
  [
    'a directory where a file belongs',
    { paths: new Map([['/etc/etcd/etcd.conf', other]]) },
    [`stop path-in-the-way@${name}: /etc/etcd/etcd.conf is a directory, and kbin needs the opposite there`],
  ],
  [
    'a file where a directory belongs',
    { paths: new Map([['/var/lib/etcd', { ...other, type: 'file' as const }]]) },
    [`stop path-in-the-way@${name}: /var/lib/etcd is a file, and kbin needs the opposite there`],
  ],
  [
    'no room for the binaries',
    { facts: { freeBytes: new Map([['/usr/local/bin', 100 * MiB]]) } },
    [`stop disk-full@${name}: /usr/local/bin has 100 MiB free, and 50 MiB of binaries go there`],
  ],
  ['room for the binaries', { facts: { freeBytes: new Map([['/usr/local/bin', 120 * MiB]]) } }, []],
  [
    'no room, but nothing to bring',
    {
      facts: { freeBytes: new Map([['/usr/local/bin', 0]]) },
      paths: new Map([
        ['/usr/local/bin/etcd', { ...other, type: 'file' as const, sha256: 'aa' }],
        ['/usr/local/bin/etcdctl', { ...other, type: 'file' as const, sha256: 'bb' }],
      ]),
    },
    [],
  ],
])('%s', (_what, found, expected) => {
  expect(findings(sides(0, found))).toEqual(expected);
});

describe('ports', () => {
  const stopped = { unit: { mainPid: 0, activeState: 'inactive' } };
  const taken = (listener: Partial<ObservedListener>, found: Found = stopped) =>
    findings(
      sides(0, {
        ...found,
        listeners: [{ port: 2379, address: '0.0.0.0', process: 'nginx', pid: 7, ...listener }],
      }),
    );

  test('taken by another program', () => {
    expect(taken({})).toEqual([
      `stop port-taken@${name}: port 2379, which etcd needs, is taken by nginx (pid 7)`,
    ]);
  });
  test.each(['0.0.0.0', '*', '[::]', '::', '127.0.0.1', '192.168.31.71', '::ffff:192.168.31.71'])(
    'on %s',
    (address) => {
      expect(taken({ address })).toHaveLength(1);
    },
  );
  test('on an address that etcd does not use', () => {
    expect(taken({ address: '172.17.0.1' })).toEqual([]);
  });
  test('by an etcd that is not the unit’s', () => {
    expect(taken({ process: 'etcd', pid: 9 }, {})).toHaveLength(1);
  });
  test('by nobody who could be named while the unit runs: by the unit', () => {
    const listener = { port: 2379, address: '192.168.31.71' };
    expect(findings(sides(0, { listeners: [listener] }))).toEqual([]);
    expect(findings(sides(0, { ...stopped, listeners: [listener] }))).toEqual([
      `stop port-taken@${name}: port 2379, which etcd needs, is taken by another program`,
    ]);
  });
  test('twice on one port is told once', () => {
    const listeners = ['127.0.0.1', '192.168.31.71'].map((address) => ({
      port: 2380,
      address,
      process: 'x',
      pid: 1,
    }));
    expect(findings(sides(0, { ...stopped, listeners }))).toHaveLength(1);
  });
});

describe('clocks', () => {
  const at = (...offsets: number[]) =>
    findings(...offsets.map((clockOffset, index) => sides(index, { facts: { clockOffset } })));

  test('agree', () => {
    expect(at(0.4, -1, 0.9)).toEqual([]);
  });
  test('one host is wrong', () => {
    expect(at(0.1, 60, 0)).toEqual([
      "stop clock-skew@k8s-master2: its clock is 60.0 s ahead of this machine's (limit 2 s)",
    ]);
    expect(at(0.1, -3.25, 0)).toEqual([
      "stop clock-skew@k8s-master2: its clock is 3.3 s behind this machine's (limit 2 s)",
    ]);
  });
  test('each is near enough to this machine, but not to one another', () => {
    expect(at(-1.5, 1.5, 0)).toEqual([
      'stop clock-skew: the clock of k8s-master2 is 3.0 s ahead of that of k8s-master1 (limit 2 s)',
    ]);
  });
  test('all agree, only this machine is wrong', () => {
    expect(at(-400, -400.5, -399.9)).toEqual([
      "stop clock-skew: the clock of this machine is 400.5 s ahead of the hosts' (limit 2 s)",
    ]);
  });
  test('all are wrong, each in its own way', () => {
    expect(at(-400, 400, 10)).toHaveLength(3);
  });
});
