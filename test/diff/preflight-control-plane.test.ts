import { expect, test } from 'vitest';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { checkKubernetesFlags } from '../../src/desired/components/kube-overrides.ts';
import { desire } from '../../src/desired/desire.ts';
import { planCluster } from '../../src/diff/plan.ts';
import { type HostSides, preflight } from '../../src/diff/preflight.ts';
import type { Observed, ObservedListener, ObservedUnit } from '../../src/observe/observed.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';
import { told } from './control-plane-situations.ts';
import { facts } from './simulated-host.ts';

const cluster = exampleCluster();
const MiB = 1024 * 1024;
const sizes = { 'kube-apiserver': 105, 'kube-controller-manager': 99, 'kube-scheduler': 38, kubectl: 36 };
const binaries = new Map(
  Object.entries(sizes).map(([name, size]) => [
    name,
    { path: `/cache/${name}`, sha256: name, size: size * MiB },
  ]),
);

const stopped: ObservedUnit = {
  loadState: 'not-found',
  activeState: 'inactive',
  subState: 'dead',
  enabled: '',
  needDaemonReload: false,
  dropIns: [],
  mainPid: 0,
  executableReplaced: false,
  result: 'success',
};

interface Found {
  readonly free?: number;
  readonly unit?: readonly [name: string, unit: Partial<ObservedUnit>];
  readonly listeners?: readonly ObservedListener[];
  readonly paths?: Observed['paths'];
  readonly machine?: string;
}

function sides({ free, unit, listeners = [], paths = new Map(), machine = 'x86_64' }: Found): HostSides {
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  return {
    host,
    desired: desire(cluster, host, { store: fullStore(), binaries, only: controlPlaneComponents }),
    observed: {
      host: host.name,
      facts: {
        ...facts,
        machine,
        freeBytes: new Map(free === undefined ? [] : [['/usr/local/bin', free * MiB]]),
      },
      paths,
      units: new Map([
        ...controlPlaneComponents.map((name) => [`${name}.service`, stopped] as const),
        ...(unit === undefined ? [] : [[unit[0], { ...stopped, ...unit[1] }] as const]),
      ]),
      dataDirectories: new Map(),
      listeners,
      accounts: [],
      leftovers: [],
    },
  };
}

const directory = { type: 'directory', mode: 0o755, owner: 'root', group: 'root' } as const;
const listens = (port: number, address = '*', process = 'nginx', pid = 7) => [
  { port, address, process, pid },
];

test.each<[string, Found, string[]]>([
  ['nothing in the way', { free: 400 }, []],
  ['another machine', { machine: 'aarch64' }, ['the host is arm64 (aarch64), cluster.yaml says amd64']],
  [
    'no room for the programs',
    { free: 300 },
    ['/usr/local/bin has 300 MiB free, and 278 MiB of binaries go there'],
  ],
  [
    'a folder where a file belongs',
    { paths: new Map([['/etc/kubernetes/admin.conf', directory]]) },
    ['/etc/kubernetes/admin.conf is a directory, and kbin needs the opposite there'],
  ],
  [
    'a masked unit',
    { unit: ['kube-scheduler.service', { enabled: 'masked', loadState: 'masked' }] },
    ['kube-scheduler.service is masked: systemd will not start it'],
  ],
  [
    'a drop-in',
    {
      unit: ['kube-apiserver.service', { dropIns: ['/etc/systemd/system/kube-apiserver.service.d/x.conf'] }],
    },
    ['kube-apiserver.service is changed by /etc/systemd/system/kube-apiserver.service.d/x.conf'],
  ],
  [
    'the apiserver’s port taken',
    { listeners: listens(6443) },
    ['port 6443, which kube-apiserver needs, is taken by nginx (pid 7)'],
  ],
  [
    'the loopback ports of the others taken, by a control plane of somebody else',
    {
      listeners: [
        ...listens(10257, '127.0.0.1', 'kube-controller', 8),
        ...listens(10259, '127.0.0.1', 'kube-scheduler', 9),
      ],
    },
    [
      'port 10257, which kube-controller-manager needs, is taken by kube-controller (pid 8)',
      'port 10259, which kube-scheduler needs, is taken by kube-scheduler (pid 9)',
    ],
  ],
  [
    'its own port taken by itself',
    {
      listeners: listens(6443, '*', 'kube-apiserver', 4711),
      unit: ['kube-apiserver.service', { mainPid: 4711, activeState: 'active', loadState: 'loaded' }],
    },
    [],
  ],
])('%s', (_what, found, expected) => {
  expect(preflight(cluster, [sides(found)]).map(({ message }) => message)).toEqual(expected);
});

test('a plan about etcd alone says nothing of the control plane, and the other way round', () => {
  const flagged = exampleCluster({
    kubernetes: { version: '1.34.1', components: { 'kube-apiserver': { flags: { 'no-such-flag': ['x'] } } } },
  });
  const [host] = flagged.hosts;
  if (host === undefined) throw new Error('no host');
  const codes = (only?: readonly string[]) =>
    told(
      planCluster({
        facts: {
          cluster: flagged,
          observed: new Map([[host.name, sides({}).observed]]),
          unreachable: [],
          readings: [],
        },
        store: fullStore(),
        binaries: new Map(),
        ...(only === undefined ? {} : { only }),
      }).plan.findings,
    );
  const unknown = checkKubernetesFlags(flagged).unknown.map(() => 'warning unknown-flag');
  expect(codes(['etcd'])).not.toContain('warning unknown-flag');
  expect(codes(controlPlaneComponents)).toEqual(unknown);
  expect(codes()).toEqual(expect.arrayContaining(unknown));
});
