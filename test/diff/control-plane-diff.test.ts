import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { layouts } from '../../src/cluster/layouts.ts';
import { type Binaries, desire } from '../../src/desired/desire.ts';
import type { DesiredHost } from '../../src/desired/desired.ts';
import type { StoreView } from '../../src/desired/store-view.ts';
import { diffHost } from '../../src/diff/diff.ts';
import { planCluster } from '../../src/diff/plan.ts';
import { exampleCluster, type Overrides } from '../cluster/fixture.ts';
import { fullStore } from '../desired/store.ts';
import { told } from './control-plane-situations.ts';
import { made, runsWith, SimulatedHost } from './simulated-host.ts';

const secretBytes = 'PRIVATE KEY that nobody may see';
const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** What a cluster.yaml, a certificate store and a release come to, in some variations. */
interface Version {
  readonly cluster: Overrides<Cluster>;
  readonly leaf: string;
  readonly key: string;
  readonly release: string;
  /** The machine has no private keys. */
  readonly keyless?: boolean;
}

const first: Version = { cluster: {}, leaf: 'leaf 1', key: '1', release: '1' };

function storeOf({ leaf, key, keyless = false }: Version): StoreView {
  return fullStore({
    certificate: (id) => ({ ref: `${id}.crt`, pem: `${id} ${leaf}\n` }),
    key: (id) => ({ ref: `${id}.key`, sha256: made(`${secretBytes} ${key} ${id}`) }),
    encryptionKeys: () => [{ name: 'key1', ref: 'key1.key', sha256: made(secretBytes) }],
    digestOf: (parts) => (keyless ? undefined : made(`${secretBytes} in ${JSON.stringify(parts)}`)),
  });
}

function binariesOf({ release }: Version): Binaries {
  return new Map(
    [...names, 'kubectl'].map((name) => [
      name,
      { path: `/cache/${release}/${name}`, sha256: made(`${name} ${release}`), size: 9 },
    ]),
  );
}

function desiredOf(version: Version): DesiredHost {
  const cluster = exampleCluster(version.cluster);
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  return desire(cluster, host, { store: storeOf(version), binaries: binariesOf(version), only: names });
}

const plan = (desired: DesiredHost, host: SimulatedHost) => diffHost(desired, host.observe(desired));

function converged(desired: DesiredHost, host = new SimulatedHost()): SimulatedHost {
  host.apply(desired, plan(desired, host));
  return host;
}

function expectConverged(desired: DesiredHost, host: SimulatedHost): void {
  expect(plan(desired, host)).toEqual(
    names.map((component) => ({ host: desired.host, component, changes: [], disruption: 'none' })),
  );
  for (const component of desired.components) {
    const process = host.units.get(component.unit.name)?.process;
    expect(process?.inputs).toBe(component.unit.inputs);
    expect(process?.conf).toBe(runsWith(host, component));
  }
}

const versions: fc.Arbitrary<Version> = fc.record({
  cluster: fc.record(
    {
      paths: fc.constantFrom(layouts.fhs, layouts.opt) as fc.Arbitrary<Cluster['paths']>,
      kubernetes: fc.record(
        {
          version: fc.constantFrom('1.20.2', '1.28.3', '1.34.1'),
          shutdownDelay: fc.constantFrom(0, 30),
          encryption: fc.constantFrom(undefined, { provider: 'aesgcm' as const, resources: ['secrets'] }),
          audit: fc.constant(undefined),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Overrides<Cluster>>,
  leaf: fc.constantFrom('leaf 1', 'leaf 2'),
  key: fc.constantFrom('1', '2'),
  release: fc.constantFrom('1', '2'),
});

describe('convergence of a host with a control plane', () => {
  test('what was applied is not planned again, whatever was there before', () => {
    fc.assert(
      fc.property(fc.array(versions, { minLength: 1, maxLength: 3 }), (history) => {
        const host = new SimulatedHost();
        for (const version of history) {
          const desired = desiredOf(version);
          converged(desired, host);
          expectConverged(desired, host);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a run that is killed between any two effects is carried on by the next one', () => {
    fc.assert(
      fc.property(fc.array(versions, { maxLength: 1 }), versions, fc.nat(1000), (before, after, at) => {
        const host = new SimulatedHost();
        for (const version of before) converged(desiredOf(version), host);
        const desired = desiredOf(after);
        const steps = host.steps(desired, plan(desired, host));
        for (const step of steps.slice(0, at % (steps.length + 1))) step();
        converged(desired, host);
        expectConverged(desired, host);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what a change comes to', () => {
  const changed = (version: Partial<Version>) => {
    const host = converged(desiredOf(first));
    const after = desiredOf({ ...first, ...version });
    return plan(after, host).map(({ component, changes, disruption }) => [
      component,
      disruption,
      ...changes.map(({ action, target, reason }) => `${action} ${target.split('/').at(-1)}: ${reason}`),
    ]);
  };

  test('a flag of the apiserver: that one restarts', () => {
    const flags = { 'max-requests-inflight': ['900'] };
    expect(changed({ cluster: { kubernetes: { components: { 'kube-apiserver': { flags } } } } })).toEqual([
      [
        'kube-apiserver',
        'restart',
        'update kube-apiserver.service: content differs',
        'reload kube-apiserver.service: the unit file changes',
        'restart kube-apiserver.service: kube-apiserver.service changes',
      ],
      ['kube-controller-manager', 'none'],
      ['kube-scheduler', 'none'],
    ]);
  });

  test('another way to encrypt: neither contents nor keys are in the plan', () => {
    const host = converged(desiredOf(first));
    const after = desiredOf({ ...first, cluster: { kubernetes: { encryption: undefined } } });
    const found = plan(after, host);
    expect(found.map(({ disruption }) => disruption)).toEqual(['restart', 'none', 'none']);
    const text = JSON.stringify(found);
    expect(text).toContain('encryption.yaml');
    expect(text).not.toContain(secretBytes);
    expect(found.flatMap(({ changes }) => changes.filter(({ kind }) => kind === 'bundle'))).toEqual([
      expect.not.objectContaining({ diff: expect.anything() }),
    ]);
  });

  test('another release: all programs, and no unit file but for its version', () => {
    expect(changed({ release: '2' }).map(([component, disruption]) => [component, disruption])).toEqual(
      names.map((name) => [name, 'restart']),
    );
  });
});

describe('a machine without the private keys', () => {
  const keyless = { ...first, keyless: true };

  test('finds the same host as it should be', () => {
    expectConverged(desiredOf(keyless), converged(desiredOf(first)));
  });

  test('and sees other keys by their digests', () => {
    const host = converged(desiredOf(first));
    const found = plan(desiredOf({ ...keyless, key: '2' }), host);
    expect(found.map(({ changes }) => changes.some(({ kind }) => kind === 'bundle'))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('says that it did not compare what has a key in it, and is not incomplete for it', () => {
    const cluster = exampleCluster();
    const [{ name }] = cluster.hosts as [Cluster['hosts'][number]];
    const told_ = (version: Version, host: SimulatedHost) => {
      const { plan: whole } = planCluster({
        facts: {
          cluster,
          observed: new Map([[name, host.observe(desiredOf(first))]]),
          unreachable: [],
          readings: [],
        },
        store: storeOf(version),
        binaries: new Map([['amd64', binariesOf(version)]]),
        only: names,
      });
      return { codes: told(whole.findings), incomplete: whole.findings.some(({ gap }) => gap?.incomplete) };
    };
    const installed = converged(desiredOf(first));
    expect(told_(keyless, installed)).toEqual({ codes: ['warning secrets-not-compared'], incomplete: false });
    expect(told_(first, installed)).toEqual({ codes: [], incomplete: false });
    expect(told_(keyless, new SimulatedHost()).codes).toEqual([]);
  });
});
