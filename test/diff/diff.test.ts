import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { layouts } from '../../src/cluster/layouts.ts';
import { type Binaries, desire } from '../../src/desired/desire.ts';
import type { DesiredComponent, DesiredHost } from '../../src/desired/desired.ts';
import { bundleTarget } from '../../src/desired/desired.ts';
import type { StoreView } from '../../src/desired/store-view.ts';
import type { HostPlan } from '../../src/diff/changes.ts';
import { diffHost } from '../../src/diff/diff.ts';
import type { Observed } from '../../src/observe/observed.ts';
import { exampleCluster, type Overrides } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';
import { made, runsWith, SimulatedHost } from './simulated-host.ts';

const secretBytes = 'PRIVATE KEY that nobody may see';

/** What a cluster.yaml, a certificate store and a release come to on the first host, in some variations. */
interface Version {
  readonly cluster: Overrides<Cluster>;
  readonly ca: string;
  readonly leaf: string;
  readonly key: string;
  readonly release: string;
}

const first: Version = { cluster: {}, ca: 'ca 1', leaf: 'leaf 1', key: `${secretBytes} 1`, release: '1' };

function desiredOf({ cluster: overrides, ca, leaf, key, release }: Version): DesiredHost {
  const cluster = exampleCluster({ kubernetes: { version: undefined }, ...overrides });
  const store: StoreView = fullStore({
    certificate: (id) => ({ ref: `${id}.crt`, pem: `${id} ${leaf}` }),
    trusted: () => ca,
    key: (id) => ({ ref: `${id}.key`, sha256: made(`${key} ${id}`) }),
  });
  const binaries: Binaries = new Map(
    ['etcd', 'etcdctl'].map((name) => [
      name,
      { path: `/cache/${release}/${name}`, sha256: made(`${name} ${release}`), size: 9 },
    ]),
  );
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  return desire(cluster, host, { store, binaries });
}

function etcdOf(desired: DesiredHost): DesiredComponent {
  const [component] = desired.components;
  if (component === undefined) throw new Error('no component');
  return component;
}

/** A host on which everything is as it should be. */
function converged(desired: DesiredHost, host = new SimulatedHost()): SimulatedHost {
  host.apply(desired, diffHost(desired, host.observe(desired)));
  return host;
}

const plan = (desired: DesiredHost, host: SimulatedHost) => diffHost(desired, host.observe(desired));

function expectConverged(desired: DesiredHost, host: SimulatedHost): void {
  expect(plan(desired, host)).toEqual([
    { host: desired.host, component: 'etcd', changes: [], disruption: 'none' },
  ]);
  const process = host.units.get('etcd.service')?.process;
  expect(process?.inputs).toBe(etcdOf(desired).unit.inputs);
  expect(process?.conf).toBe(runsWith(host, etcdOf(desired)));
}

const versions: fc.Arbitrary<Version> = fc.record({
  cluster: fc.record(
    {
      paths: fc.constantFrom(layouts.fhs, layouts.opt) as fc.Arbitrary<Cluster['paths']>,
      etcd: fc.record(
        {
          version: fc.constantFrom('3.4.23', '3.5.16', '3.6.5', '3.7.0'),
          user: fc.constantFrom('etcd', 'kv'),
          logLevel: fc.constantFrom('info' as const, 'debug' as const),
          snapshotCount: fc.constantFrom(10_000, 50_000),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Overrides<Cluster>>,
  ca: fc.constantFrom('ca 1', 'ca 1 and 2'),
  leaf: fc.constantFrom('leaf 1', 'leaf 2'),
  key: fc.constantFrom(`${secretBytes} 1`, `${secretBytes} 2`),
  release: fc.constantFrom('1', '2'),
});

describe('convergence', () => {
  test('what was applied is not planned again, whatever was there before', () => {
    fc.assert(
      fc.property(fc.array(versions, { minLength: 1, maxLength: 4 }), (history) => {
        const host = new SimulatedHost();
        for (const version of history) {
          const desired = desiredOf(version);
          converged(desired, host);
          expectConverged(desired, host);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a run that is killed between any two effects is carried on by the next one', () => {
    fc.assert(
      fc.property(fc.array(versions, { maxLength: 1 }), versions, (before, after) => {
        const start = new SimulatedHost();
        for (const version of before) converged(desiredOf(version), start);
        const desired = desiredOf(after);
        const effects = start.steps(desired, plan(desired, start)).length;
        for (let done = 0; done <= effects; done++) {
          const host = start.copy();
          for (const step of host.steps(desired, plan(desired, host)).slice(0, done)) step();
          converged(desired, host);
          expectConverged(desired, host);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('a run that is killed and followed by another wish converges on that', () => {
    fc.assert(
      fc.property(versions, versions, versions, fc.nat(40), (one, two, three, done) => {
        const host = converged(desiredOf(one));
        const second = desiredOf(two);
        for (const step of host.steps(second, plan(second, host)).slice(0, done)) step();
        const desired = desiredOf(three);
        converged(desired, host);
        expectConverged(desired, host);
      }),
      { numRuns: 200 },
    );
  });
});

describe('somebody edits a file and restarts by hand; the run that puts the file right is killed before its restart', () => {
  const conf = '/etc/etcd/etcd.conf';
  const unit = '/etc/systemd/system/etcd.service';
  test.each<[string, string, (text: string) => string, string]>([
    [
      'a setting changed',
      conf,
      (text) => text.replace('LEVEL="info"', 'LEVEL="warn"'),
      'was started with another ETCD_LOG_LEVEL than its files say',
    ],
    [
      'settings added and taken away',
      conf,
      (text) => `${text.replace(/^ETCD_PRE_VOTE.*$/m, '')}\nETCD_FORCE_NEW_CLUSTER="true"\n`,
      'was started with another ETCD_FORCE_NEW_CLUSTER, ETCD_PRE_VOTE than its files say',
    ],
    [
      'an argument added',
      unit,
      (text) => text.replace(/^ExecStart=.*$/m, '$& --force-new-cluster'),
      'was started with other arguments than its unit says',
    ],
  ])('%s', (_what, path, edit, reason) => {
    const desired = desiredOf(first);
    const host = converged(desired);
    const file = host.disk.get(path);
    if (file?.content === undefined) throw new Error(path);
    host.put(path, { ...file, content: edit(file.content) });
    host.restartByHand(desired, 'etcd.service');
    const steps = host.steps(desired, plan(desired, host));
    for (const step of steps.slice(0, -1)) step();
    const [found] = plan(desired, host);
    expect(found?.changes.map(({ action, reason: why }) => `${action}: ${why}`)).toEqual([
      `restart: ${reason}`,
    ]);
    converged(desired, host);
    expectConverged(desired, host);
  });

  test('what a drop-in or systemd itself gives to the process is not kbin’s to take away', () => {
    const desired = desiredOf(first);
    const observed = converged(desired).observe(desired);
    const unitWith = (inherited: string[], dropIns: string[]): Observed => {
      const etcd = observed.units.get('etcd.service');
      if (etcd?.process === undefined) throw new Error('does not run');
      const settings = { ...etcd.process.settings, ETCD_DEBUG: 'true' };
      const started = { ...etcd, dropIns, process: { ...etcd.process, settings, inherited } };
      return { ...observed, units: new Map([['etcd.service', started]]) };
    };
    const disruption = (seen: Observed) => diffHost(desired, seen)[0]?.disruption;
    expect(disruption(unitWith(['ETCD_DEBUG'], []))).toBe('none');
    expect(disruption(unitWith([], ['/etc/systemd/system/etcd.service.d/debug.conf']))).toBe('none');
    expect(disruption(unitWith([], []))).toBe('restart');
  });
});

/** What one change on a host that is as it should be looks like, and what the plan must name for it: no more, no less. */
interface Mutation {
  readonly name: string;
  readonly change: (host: SimulatedHost, component: DesiredComponent) => void;
  /** `kind action target`. */
  readonly planned: (component: DesiredComponent) => readonly string[];
  readonly disruption: HostPlan['disruption'];
}

const conf = '/etc/etcd/etcd.conf';
const unitFile = '/etc/systemd/system/etcd.service';
const data = '/var/lib/etcd';
const tls = '/etc/etcd/pki';

const edit = (path: string, changes: object) => (host: SimulatedHost) => {
  const entry = host.disk.get(path);
  if (entry === undefined) throw new Error(`nothing at ${path}`);
  host.disk.set(path, { ...entry, ...changes });
};
const editBundle = (file: string, changes: object) => (host: SimulatedHost, component: DesiredComponent) => {
  const [bundle] = component.bundles;
  if (bundle !== undefined) edit(`${bundleTarget(bundle)}/${file}`, changes)(host);
};
const editUnit = (changes: object) => (host: SimulatedHost) => {
  Object.assign(host.units.get('etcd.service') as object, changes);
};
const names =
  (...planned: string[]) =>
  () =>
    planned;

const mutations: readonly Mutation[] = [
  {
    name: 'no account',
    change: (host) => host.accounts.delete('etcd'),
    planned: names('account create etcd'),
    disruption: 'none',
  },
  {
    name: 'no group',
    change: (host) => host.accounts.delete(':etcd'),
    planned: names('account create etcd'),
    disruption: 'none',
  },
  {
    name: 'no data directory',
    change: (host) => host.disk.delete(data),
    planned: names(`directory create ${data}`),
    disruption: 'none',
  },
  {
    name: 'data readable by all',
    change: edit(data, { mode: 0o755 }),
    planned: names(`directory update ${data}`),
    disruption: 'none',
  },
  {
    name: 'data of root',
    change: edit(data, { owner: 'root' }),
    planned: names(`directory update ${data}`),
    disruption: 'none',
  },
  {
    name: 'foreign entries in data',
    change: edit(data, { foreign: true }),
    planned: names(`directory update ${data}`),
    disruption: 'none',
  },
  {
    name: 'foreign entries beside the configuration',
    change: edit('/etc/etcd', { foreign: true }),
    planned: names(),
    disruption: 'none',
  },
  {
    name: 'configuration folder open to all',
    change: edit('/etc/etcd', { mode: 0o777 }),
    planned: names('directory update /etc/etcd'),
    disruption: 'none',
  },
  {
    name: 'etcd.conf edited',
    change: edit(conf, { content: 'ETCD_NAME="x"\n' }),
    planned: names(`file update ${conf}`, 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'etcd.conf gone',
    change: (host) => host.disk.delete(conf),
    planned: names(`file create ${conf}`, 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'etcd.conf writable by all',
    change: edit(conf, { mode: 0o666 }),
    planned: names(`file update ${conf}`),
    disruption: 'none',
  },
  {
    name: 'etcd.conf of another group',
    change: edit(conf, { group: 'users' }),
    planned: names(`file update ${conf}`),
    disruption: 'none',
  },
  {
    name: 'unit file edited',
    change: edit(unitFile, { content: '[Unit]\n' }),
    planned: names(`file update ${unitFile}`, 'unit reload etcd.service', 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'unit file a link',
    change: edit(unitFile, { type: 'link', target: '/lib/etcd.service' }),
    planned: names(`file update ${unitFile}`, 'unit reload etcd.service', 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'etcd replaced',
    change: edit('/usr/local/bin/etcd', { content: 'another', inode: -1 }),
    planned: names('file update /usr/local/bin/etcd', 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'etcd replaced by itself',
    change: edit('/usr/local/bin/etcd', { inode: -1 }),
    planned: names('unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'etcd not executable',
    change: edit('/usr/local/bin/etcd', { mode: 0o644 }),
    planned: names('file update /usr/local/bin/etcd'),
    disruption: 'none',
  },
  {
    name: 'etcdctl replaced',
    change: edit('/usr/local/bin/etcdctl', { content: 'another' }),
    planned: names('file update /usr/local/bin/etcdctl'),
    disruption: 'none',
  },
  {
    name: 'no certificates',
    change: (host) => host.disk.delete(tls),
    planned: names(`bundle create ${tls}`, 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'certificates in a folder made by hand',
    change: edit(tls, { type: 'directory', target: undefined }),
    planned: names(`bundle update ${tls}`, 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'a key edited in the folder',
    change: editBundle('server.key', { content: 'other' }),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'a key readable by all',
    change: editBundle('peer.key', { mode: 0o644 }),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'a key of root',
    change: editBundle('peer.key', { owner: 'root' }),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'a certificate edited in the folder',
    change: editBundle('server.crt', { content: 'other' }),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'the CA edited in the folder',
    change: editBundle('ca.crt', { content: 'other' }),
    planned: names(`bundle update ${tls}`, 'unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'a file gone from the folder',
    change: (host, { bundles: [bundle] }) => bundle && host.disk.delete(`${bundleTarget(bundle)}/peer.crt`),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'the folder readable by all',
    change: (host, { bundles: [bundle] }) => bundle && edit(bundleTarget(bundle), { mode: 0o755 })(host),
    planned: names(`bundle update ${tls}`),
    disruption: 'none',
  },
  {
    name: 'stopped',
    change: editUnit({ process: undefined }),
    planned: names('unit start etcd.service'),
    disruption: 'start',
  },
  {
    name: 'disabled',
    change: editUnit({ enabled: false }),
    planned: names('unit enable etcd.service'),
    disruption: 'none',
  },
  {
    name: 'unit file not read by systemd',
    change: editUnit({ loaded: '' }),
    planned: names('unit reload etcd.service'),
    disruption: 'none',
  },
  {
    name: 'unit file never read by systemd',
    change: editUnit({ loaded: undefined }),
    planned: names('unit reload etcd.service'),
    disruption: 'none',
  },
  {
    name: 'runs with other settings',
    change: (host) => Object.assign(host.units.get('etcd.service')?.process as object, { inputs: 'old' }),
    planned: names('unit restart etcd.service'),
    disruption: 'restart',
  },
  {
    name: 'started by hand',
    change: (host) => Object.assign(host.units.get('etcd.service')?.process as object, { inputs: undefined }),
    planned: names('unit restart etcd.service'),
    disruption: 'restart',
  },
];

describe('one thing changed on a host', () => {
  const desired = desiredOf(first);
  const component = etcdOf(desired);

  test.each(mutations)('$name', ({ change, planned, disruption }) => {
    const host = converged(desired);
    change(host, component);
    const [found] = plan(desired, host);
    expect(found?.changes.map(({ kind, action, target }) => `${kind} ${action} ${target}`)).toEqual(
      planned(component),
    );
    expect(found?.disruption).toBe(disruption);
    converged(desired, host);
    expectConverged(desired, host);
  });

  test('any two of them together are repaired too', () => {
    fc.assert(
      fc.property(fc.constantFrom(...mutations), fc.constantFrom(...mutations), (one, two) => {
        const host = converged(desired);
        try {
          one.change(host, component);
          two.change(host, component);
        } catch {
          return; // The first took away what the second would change.
        }
        converged(desired, host);
        expectConverged(desired, host);
      }),
      { numRuns: 300 },
    );
  });
});

describe('reasons', () => {
  const desired = desiredOf(first);
  const reasonsAfter = (change: Mutation['change']) => {
    const host = converged(desired);
    change(host, etcdOf(desired));
    return plan(desired, host)[0]?.changes.map(({ reason }) => reason);
  };

  test.each<[string, Mutation['change'], string[]]>([
    ['mode', edit(conf, { mode: 0o600 }), ['mode 0600, wanted 0644']],
    [
      'owner and mode',
      edit(data, { owner: 'root', mode: 0o755 }),
      ['mode 0755, wanted 0700, owner root:etcd, wanted etcd:etcd'],
    ],
    [
      'a file within a bundle',
      editBundle('peer.key', { content: 'x', mode: 0o640 }),
      ['peer.key: content differs, mode 0640, wanted 0600'],
    ],
    [
      'a folder by hand',
      edit(tls, { type: 'directory', target: undefined }),
      [expect.stringContaining("is a directory and not kbin's link: it is moved aside"), 'ca.crt changes'],
    ],
    [
      'former settings',
      (host) => Object.assign(host.units.get('etcd.service')?.process as object, { inputs: 'old' }),
      ['runs with former settings'],
    ],
    ['stopped', editUnit({ process: undefined }), ['is inactive']],
  ])('%s', (_name, change, reasons) => {
    expect(reasonsAfter(change)).toEqual(reasons);
  });

  test('a certificate that was renewed is named, and restarts nothing', () => {
    const host = converged(desired);
    const renewed = desiredOf({ ...first, leaf: 'leaf 2', key: `${secretBytes} 2` });
    expect(plan(renewed, host)).toMatchObject([
      {
        changes: [
          {
            kind: 'bundle',
            action: 'update',
            reason: expect.stringMatching(/^differs in server\.crt, server\.key, peer\.crt/),
          },
        ],
        disruption: 'none',
      },
    ]);
  });

  test('a changed CA restarts', () => {
    const [found] = plan(desiredOf({ ...first, ca: 'ca 2' }), converged(desired));
    expect(found?.disruption).toBe('restart');
    expect(found?.changes.map(({ kind }) => kind)).toEqual(['file', 'bundle', 'unit', 'unit']);
  });

  test('etcd.conf is shown as a unified diff', () => {
    const host = converged(desired);
    const wanted = desiredOf({ ...first, cluster: { etcd: { logLevel: 'debug' } } });
    const change = plan(wanted, host)[0]?.changes.find(({ target }) => target === conf);
    expect(change?.diff).toContain(`--- ${conf}\n+++ ${conf}\n@@ `);
    expect(change?.diff).toContain('\n-ETCD_LOG_LEVEL="info"\n+ETCD_LOG_LEVEL="debug"\n');
  });
});

describe('states of a unit', () => {
  const desired = desiredOf(first);
  const withUnit = (changes: object): Observed => {
    const observed = converged(desired).observe(desired);
    const unit = observed.units.get('etcd.service');
    return { ...observed, units: new Map([['etcd.service', { ...unit, ...changes } as never]]) };
  };

  test.each<[string, object, HostPlan['disruption'], string | undefined]>([
    ['waits for its quorum', { activeState: 'activating', subState: 'start' }, 'none', undefined],
    [
      'waits with former settings',
      { activeState: 'activating', subState: 'start', runningInputs: 'old' },
      'restart',
      'runs with former settings',
    ],
    [
      'fails again and again',
      { activeState: 'activating', subState: 'auto-restart', mainPid: 0, result: 'exit-code' },
      'start',
      'does not stay up (exit-code)',
    ],
    [
      'has failed',
      { activeState: 'failed', subState: 'failed', mainPid: 0, result: 'core-dump' },
      'start',
      'has failed (core-dump)',
    ],
    [
      'is being stopped',
      { activeState: 'deactivating', subState: 'stop-sigterm' },
      'start',
      'is deactivating',
    ],
  ])('%s', (_name, changes, disruption, reason) => {
    const [found] = diffHost(desired, withUnit(changes));
    expect([found?.disruption, found?.changes[0]?.reason]).toEqual([disruption, reason]);
  });
});

test('the order in which things were observed or are wanted does not matter', () => {
  const shuffled = <T>(items: Iterable<T>) =>
    fc.shuffledSubarray([...items], { minLength: [...items].length });
  const before = converged(desiredOf(first));
  const desired = desiredOf({
    ...first,
    ca: 'ca 2',
    release: '2',
    cluster: { etcd: { user: 'kv', logLevel: 'warn' } },
  });
  const observed = before.observe(desired);
  const sorted = (plans: readonly HostPlan[]) =>
    plans.map((found) => ({
      ...found,
      changes: [...found.changes].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    }));
  fc.assert(
    fc.property(shuffled(observed.paths), shuffled(observed.accounts), (paths, accounts) => {
      expect(diffHost(desired, { ...observed, paths: new Map(paths), accounts })).toEqual(
        diffHost(desired, observed),
      );
    }),
  );
  fc.assert(
    fc.property(
      shuffled(etcdOf(desired).files),
      shuffled(etcdOf(desired).directories),
      (files, directories) => {
        const component = { ...etcdOf(desired), files, directories };
        const reordered = sorted(diffHost({ ...desired, components: [component] }, observed));
        const reason = (found: readonly HostPlan[]) => found.map(({ disruption }) => disruption);
        expect(reason(reordered)).toEqual(reason(diffHost(desired, observed)));
        const targets = (found: readonly HostPlan[]) =>
          sorted(found)[0]
            ?.changes.map(({ kind, action, target }) => [kind, action, target])
            .sort();
        expect(targets(reordered)).toEqual(targets(diffHost(desired, observed)));
      },
    ),
  );
});

test('no plan ever holds a byte of a secret, even when a probe gave it away', () => {
  fc.assert(
    fc.property(versions, versions, (before, after) => {
      // In the same places, so that the former files are looked at.
      const same = { ...before, cluster: { ...before.cluster, paths: after.cluster.paths ?? layouts.fhs } };
      const host = converged(desiredOf(same));
      const desired = desiredOf(after);
      const observed = host.observe(desired);
      expect([...observed.paths.values()].some(({ text }) => text?.includes(secretBytes))).toBe(true);
      expect(JSON.stringify(diffHost(desired, observed))).not.toContain('PRIVATE KEY');
    }),
    { numRuns: 50 },
  );
});
