import { expect, test } from 'vitest';
import {
  bundlesToStage,
  commitment,
  filesToStage,
  hasFormerFiles,
  preparation,
  stopSeconds,
  type Task,
  withdrawal,
} from '../../src/apply/commit.ts';
import { completion, leftoversOf, unprovenPlaces } from '../../src/apply/leftovers.ts';
import type { ClusterHost } from '../../src/cluster/cluster.ts';
import { layouts } from '../../src/cluster/layouts.ts';
import { desire } from '../../src/desired/desire.ts';
import type { DesiredComponent } from '../../src/desired/desired.ts';
import { diffHost } from '../../src/diff/diff.ts';
import type { Observed, ObservedPath, ObservedUnit } from '../../src/observe/observed.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';

const cluster = exampleCluster({ paths: { etcd: { tls: '/etc/etcd/ssl' } } });
const binaries = new Map([
  ['etcd', { path: '/cache/etcd', sha256: 'e'.repeat(64), size: 3 }],
  ['etcdctl', { path: '/cache/etcdctl', sha256: 'c'.repeat(64), size: 3 }],
]);
const [component] = desire(cluster, cluster.hosts[0] as ClusterHost, { store: fullStore(), binaries })
  .components as [DesiredComponent];
const bundle = component.bundles[0] as DesiredComponent['bundles'][number];
const folder = `/etc/etcd/.ssl-${bundle.digest.slice(0, 16)}`;

function stagedAt(directory: string, name: string): string {
  const file = component.files.find(({ path }) => path === `${directory}/${name}`);
  return `${directory}/.kbin-${file?.content.sha256.slice(0, 12)}-${name}`;
}

const assembly = [
  ...bundle.files.map(({ path, content }) => [
    'place',
    `/etc/etcd/.kbin-new-ssl/.kbin-${content.sha256.slice(0, 12)}-${path}`,
    `/etc/etcd/.kbin-new-ssl/${path}`,
  ]),
  ['sync', '/etc/etcd/.kbin-new-ssl'],
  ['switch', '/etc/etcd/.kbin-new-ssl', '/etc/etcd/ssl', folder],
];

const unit: ObservedUnit = {
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  enabled: 'enabled',
  needDaemonReload: false,
  dropIns: [],
  mainPid: 7,
  runningInputs: component.unit.inputs,
  executableReplaced: false,
  result: 'success',
};

/** A host on which all is as wanted, but for `paths` and `changes`. */
function observedWith(
  paths: Record<string, Partial<ObservedPath> | undefined> = {},
  changes: Partial<Observed> = {},
): Observed {
  const all = new Map<string, ObservedPath>();
  for (const { path, mode, owner, group } of component.directories) {
    all.set(path, { type: 'directory', mode, owner, group });
  }
  for (const { path, mode, owner, group, content } of component.files) {
    all.set(path, { type: 'file', mode, owner, group, sha256: content.sha256 });
  }
  const own = { owner: bundle.owner, group: bundle.group };
  all.set(bundle.path, { type: 'link', mode: 0o777, owner: 'root', group: 'root', target: folder });
  all.set(folder, { type: 'directory', mode: bundle.mode, ...own });
  for (const file of bundle.files) {
    all.set(`${bundle.path}/${file.path}`, {
      type: 'file',
      mode: file.mode,
      ...own,
      sha256: file.content.sha256,
    });
  }
  for (const [path, change] of Object.entries(paths)) {
    const is = all.get(path);
    if (change === undefined || is === undefined) all.delete(path);
    else all.set(path, { ...is, ...change });
  }
  return {
    host: 'k8s-master1',
    facts: {} as Observed['facts'],
    paths: all,
    units: new Map([['etcd.service', unit]]),
    dataDirectories: new Map(),
    listeners: [],
    accounts: ['etcd', ':etcd'],
    leftovers: [],
    ...changes,
  };
}

function taskOf(observed: Observed): Task {
  const [plan] = diffHost({ host: 'k8s-master1', components: [component] }, observed);
  if (plan === undefined) throw new Error('no plan');
  return { component, observed, plan };
}

test('a host that is as wanted: nothing', () => {
  const task = taskOf(observedWith());
  expect([filesToStage(task), bundlesToStage(task), preparation(task), commitment(task)]).toEqual([
    [],
    [],
    [],
    [],
  ]);
});

test('a bare host: account and folders, then all files at once, then systemd, then the start', () => {
  const bare = observedWith({}, { paths: new Map(), units: new Map(), accounts: [] });
  const task = taskOf(bare);
  expect(preparation(task)).toEqual([
    ['account', 'etcd', 'etcd', '/var/lib/etcd'],
    ['folder', '755', 'root', 'root', '/etc/etcd'],
    ['folder', '700', 'etcd', 'etcd', '/var/lib/etcd'],
    ['discard', '/etc/etcd/.kbin-new-ssl'],
    ['folder', '700', 'etcd', 'etcd', '/etc/etcd/.kbin-new-ssl'],
  ]);
  expect(commitment(task)).toEqual([
    ['rename', '/usr/local/bin/.kbin-eeeeeeeeeeee-etcd', '/usr/local/bin/etcd'],
    ['rename', '/usr/local/bin/.kbin-cccccccccccc-etcdctl', '/usr/local/bin/etcdctl'],
    ['rename', stagedAt('/etc/etcd', 'etcd.conf'), '/etc/etcd/etcd.conf'],
    ['rename', stagedAt('/etc/systemd/system', 'etcd.service'), '/etc/systemd/system/etcd.service'],
    ...assembly,
    ['sync', '/usr/local/bin'],
    ['sync', '/etc/etcd'],
    ['sync', '/etc/systemd/system'],
    ['label', '/usr/local/bin/etcd'],
    ['label', '/usr/local/bin/etcdctl'],
    ['label', '/etc/etcd/etcd.conf'],
    ['label', '/etc/systemd/system/etcd.service'],
    ['label', '/etc/etcd/ssl'],
    ['enable', 'etcd.service'],
    ['reload'],
    ['start', 'etcd.service'],
  ]);
});

test('a changed setting: the file, systemd when its unit changed with it, a restart; and the way back', () => {
  const other = { sha256: '0'.repeat(64) };
  const task = taskOf(
    observedWith({ '/etc/etcd/etcd.conf': other, '/etc/systemd/system/etcd.service': other }),
  );
  expect(preparation(task)).toEqual([]);
  expect(commitment(task)).toEqual([
    ['rename', stagedAt('/etc/etcd', 'etcd.conf'), '/etc/etcd/etcd.conf'],
    ['rename', stagedAt('/etc/systemd/system', 'etcd.service'), '/etc/systemd/system/etcd.service'],
    ['sync', '/etc/etcd'],
    ['sync', '/etc/systemd/system'],
    ['label', '/etc/etcd/etcd.conf'],
    ['label', '/etc/systemd/system/etcd.service'],
    ['reload'],
    ['restart', 'etcd.service', '90'],
  ]);
  expect(withdrawal(task)).toEqual([
    ['restore', '/etc/etcd/etcd.conf'],
    ['restore', '/etc/systemd/system/etcd.service'],
    ['sync', '/etc/etcd'],
    ['sync', '/etc/systemd/system'],
    ['reload'],
    ['restart', 'etcd.service', '90'],
  ]);
  expect(completion(task)).toEqual([
    ['prune', '/etc/etcd/ssl'],
    ['clean', '/usr/local/bin/etcd'],
    ['clean', '/usr/local/bin/etcdctl'],
    ['clean', '/etc/etcd/etcd.conf'],
    ['clean', '/etc/systemd/system/etcd.service'],
    ['clean', '/etc/etcd/ssl'],
    ['clean', '/etc/etcd/kbin-member.json'],
  ]);
});

test('a leaf certificate: the whole bundle in one switch, and no restart', () => {
  const task = taskOf(observedWith({ '/etc/etcd/ssl/server.crt': { sha256: '0'.repeat(64) } }));
  expect(bundlesToStage(task)).toEqual([bundle]);
  expect(commitment(task)).toEqual([...assembly, ['sync', '/etc/etcd'], ['label', '/etc/etcd/ssl']]);
});

test('only the mode of a file: set in place, nothing is uploaded, nothing restarts', () => {
  const task = taskOf(observedWith({ '/etc/etcd/etcd.conf': { mode: 0o666 } }));
  expect(filesToStage(task)).toEqual([]);
  expect(commitment(task)).toEqual([['own', '644', 'root', 'root', '/etc/etcd/etcd.conf']]);
});

test('a link where a file belongs is replaced, whatever it leads to', () => {
  const task = taskOf(observedWith({ '/etc/etcd/etcd.conf': { type: 'link', target: '/elsewhere' } }));
  expect(commitment(task)).toContainEqual([
    'rename',
    stagedAt('/etc/etcd', 'etcd.conf'),
    '/etc/etcd/etcd.conf',
  ]);
});

test('another user: the data changes hands while nothing runs', () => {
  const task = taskOf(
    observedWith(
      { '/var/lib/etcd': { owner: 'root', group: 'root' } },
      { units: new Map([['etcd.service', { ...unit, runningInputs: 'as root' }]]) },
    ),
  );
  expect(preparation(task)).toEqual([]);
  expect(commitment(task)).toEqual([
    ['stop', 'etcd.service'],
    ['folder', '700', 'etcd', 'etcd', '/var/lib/etcd'],
    ['tree', 'etcd', 'etcd', '/var/lib/etcd'],
    ['restart', 'etcd.service', '90'],
  ]);
  // The former unit ran as root; as whoever it ran, it has to be able to go on.
  expect(withdrawal(task)).toEqual([
    ['reload'],
    ['stop', 'etcd.service'],
    ['folder', '700', 'root', 'root', '/var/lib/etcd'],
    ['tree', 'root', 'root', '/var/lib/etcd'],
    ['restart', 'etcd.service', '90'],
  ]);
});

test('a folder that leads to the data only has to let through: nothing else of it is touched', () => {
  const deep = exampleCluster({ paths: layouts.opt });
  const [etcd] = desire(deep, deep.hosts[0] as ClusterHost, { store: fullStore(), binaries }).components;
  const seen = (mode: number): Observed['paths'] =>
    new Map([
      ...observedWith().paths,
      ['/var/lib/etcd', { type: 'directory', mode, owner: 'adm', group: 'wheel' }],
    ]);
  const task = (mode: number): Task => {
    const observed = { ...observedWith(), paths: seen(mode) };
    const plan = diffHost({ host: 'k8s-master1', components: [etcd as DesiredComponent] }, observed)[0];
    return { component: etcd as DesiredComponent, observed, plan: plan as Task['plan'] };
  };
  const made = (mode: number) =>
    preparation(task(mode)).filter(([, ...words]) => words.at(-1) === '/var/lib/etcd');
  expect(made(0o700)).toEqual([['folder', '711', 'adm', 'wheel', '/var/lib/etcd']]);
  expect(made(0o2750)).toEqual([['folder', '2751', 'adm', 'wheel', '/var/lib/etcd']]);
  expect(made(0o711)).toEqual([]);
});

test('a run that was killed after the renames: only the restart is left', () => {
  const task = taskOf(
    observedWith({}, { units: new Map([['etcd.service', { ...unit, executableReplaced: true }]]) }),
  );
  expect(commitment(task)).toEqual([['restart', 'etcd.service', '90']]);
});

test('a unit of somebody else stays beside kbin’s; one that lies elsewhere comes back when kbin’s is gone', () => {
  const path = '/etc/systemd/system/etcd.service';
  const { runningInputs: _none, ...running } = unit;
  const units = new Map([['etcd.service', running]]);
  const former = { sha256: 'former', text: 'ExecStart=/opt/etcd' };
  const staged = stagedAt('/etc/systemd/system', 'etcd.service');
  const there = taskOf(observedWith({ [path]: former }, { units }));
  expect(commitment(there).slice(0, 2)).toEqual([
    ['set-aside', path],
    ['rename', staged, path],
  ]);
  expect(withdrawal(there).slice(0, 2)).toEqual([
    ['restore', path],
    ['sync', '/etc/systemd/system'],
  ]);
  const elsewhere = taskOf(observedWith({ [path]: undefined }, { units }));
  expect(commitment(elsewhere)[0]).toEqual(['rename', staged, path]);
  expect(withdrawal(elsewhere)).toEqual([
    ['restore', path],
    ['forget', path],
    ['sync', '/etc/systemd/system'],
    ['reload'],
    ['restart', 'etcd.service', '90'],
  ]);
  const own = taskOf(observedWith({ [path]: { sha256: 'old', text: 'KBIN_INPUTS=aa' } }));
  expect([...commitment(own), ...withdrawal(own)].map(([verb]) => verb)).not.toContain('set-aside');
  const gone = taskOf(observedWith({ [path]: undefined }));
  expect(withdrawal(gone).map(([verb]) => verb)).not.toContain('forget');
});

test('leftovers are those beside the component’s own places', () => {
  const own = [
    '/etc/etcd/.kbin-old-etcd.conf',
    '/usr/local/bin/.kbin-0123456789ab-etcd',
    '/etc/etcd/.kbin-new-ssl',
  ];
  const leftovers = [...own, '/usr/local/bin/.kbin-0123456789ab-kube-apiserver', '/etc/.kbin-old-etcd.conf'];
  expect(leftoversOf(taskOf(observedWith({}, { leftovers })))).toEqual(own);
});

test('a process gets as long to stop as its unit says', () => {
  const slow = component.files.map((file) =>
    file.path.endsWith('/etcd.service') && file.content.kind === 'text'
      ? { ...file, content: { ...file.content, text: `${file.content.text}TimeoutStopSec=700\n` } }
      : file,
  );
  expect(stopSeconds(component)).toBe(90);
  expect(stopSeconds({ ...component, files: slow })).toBe(700);
});

test('what an earlier run has put in place and not proven is brought back too, and other leftovers are not', () => {
  const cutOff = observedWith(
    {},
    { leftovers: ['/etc/etcd/.kbin-old-ssl', '/etc/etcd/.kbin-new-etcd.conf'] },
  );
  const task = taskOf(cutOff);
  expect(task.plan.changes).toEqual([]);
  expect(unprovenPlaces(task)).toEqual(['/etc/etcd/ssl']);
  expect(hasFormerFiles(task)).toBe(true);
  // It reads its certificates by itself: nothing is restarted.
  expect(withdrawal(task)).toEqual([['restore', '/etc/etcd/ssl'], ['sync', '/etc/etcd'], ['reload']]);
  expect(hasFormerFiles(taskOf(observedWith()))).toBe(false);
});
