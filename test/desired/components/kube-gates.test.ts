import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { controlPlaneComponents } from '../../../src/cluster/cluster.ts';
import { versionOf } from '../../../src/cluster/version.ts';
import {
  admissionPluginsOf,
  gatesOf,
  knownAdmissionPlugin,
  knownGate,
} from '../../../src/desired/components/kube-gates.ts';
import { kubernetesRelease } from '../../health/kubernetes-release.ts';
import { releaseList } from './kube-releases.ts';

const real = versionOf('1.20.2');

describe('against the real Kubernetes 1.20.2', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await kubernetesRelease();
  }, 1_200_000);

  test.each(controlPlaneComponents)('%s has every gate of the table', async (component) => {
    const value = gatesOf(real).map((gate) => `${gate}=true`);
    expect(value.length).toBeGreaterThan(100);
    const said = await errorOf(component, [`--feature-gates=${value.join(',')}`, '--no-such-flag']);
    expect(said).toBe('Error: unknown flag: --no-such-flag');
  });

  test('kube-apiserver shows no gate that the table lacks', async () => {
    const shown = [...(await helpOf('kube-apiserver')).matchAll(/ ([A-Z]\w+)=true\|false/g)];
    expect(shown.length).toBeGreaterThan(80);
    expect(shown.map(([, gate]) => gate as string).filter((gate) => knownGate(gate, real) !== true)).toEqual(
      [],
    );
  });

  test('gates of later minors are refused', async () => {
    const later = gatesOf(versionOf('1.33.0')).filter((gate) => knownGate(gate, real) === false);
    expect(later.length).toBeGreaterThan(15);
    const taken: string[] = [];
    for (const gate of later) {
      const said = await errorOf('kube-scheduler', [`--feature-gates=${gate}=true`, '--no-such-flag']);
      if (!said.includes(`unrecognized feature gate: ${gate}`)) taken.push(gate);
    }
    expect(taken).toEqual([]);
  });

  test('admission plugins', async () => {
    const [, list = ''] = /of admission plugins: ([\w, ]+)\./.exec(await helpOf('kube-apiserver')) ?? [];
    const shown = list.split(', ');
    expect(shown.length).toBeGreaterThan(30);
    expect(shown.filter((plugin) => knownAdmissionPlugin(plugin, real) !== true)).toEqual([]);
    const foreign = ['DenyServiceExternalIPs', 'PodSecurity', 'NoSuchThing'];
    expect(foreign.map((plugin) => [shown.includes(plugin), knownAdmissionPlugin(plugin, real)])).toEqual(
      foreign.map(() => [false, false]),
    );
  });

  async function helpOf(component: string): Promise<string> {
    return (await run(join(folder, component), ['--help'])).stdout;
  }

  async function errorOf(component: string, args: readonly string[]): Promise<string> {
    const { stderr } = await run(join(folder, component), args);
    return stderr.split('\n').find((line) => line.startsWith('Error: ')) ?? stderr;
  }
});

test.each([
  ['DynamicKubeletConfig', { '1.20.2': true, '1.24.9': true, '1.25.0': 'unsure', '1.26.0': false }],
  ['PodSecurity', { '1.20.2': false, '1.21.0': false, '1.22.0': true, '1.26.0': true, '1.28.0': false }],
  ['ServerSideApply', { '1.20.2': true, '1.31.0': true, '1.32.0': false }],
  ['ComponentSLIs', { '1.20.2': false, '1.25.0': 'unsure', '1.31.0': true, '1.32.0': false }],
  [
    'AnonymousAuthConfigurableEndpoints',
    { '1.30.0': false, '1.31.0': true, '1.33.0': true, '1.36.0': true, '1.37.0': 'unsure' },
  ],
  [
    'StructuredAuthorizationConfiguration',
    { '1.28.0': false, '1.33.0': true, '1.35.0': 'unsure', '1.36.0': false },
  ],
  ['GangScheduling', { '1.20.2': false, '1.35.0': 'unsure', '1.36.0': true }],
  ['NoSuchThing', { '1.20.2': false, '1.36.0': 'unsure' }],
])('feature gate %s', (gate, known) => {
  const found = Object.keys(known).map((version) => [version, knownGate(gate, versionOf(version))]);
  expect(Object.fromEntries(found)).toEqual(known);
});

test.each([
  ['PodSecurityPolicy', { '1.20.2': true, '1.24.0': true, '1.25.0': false }],
  ['PodSecurity', { '1.21.0': false, '1.22.0': true, '1.36.0': true }],
  ['NodeRestriction', { '1.20.2': true, '1.36.0': true }],
  ['NodeDeclaredFeatureValidator', { '1.34.0': false, '1.35.0': true, '1.36.0': true }],
  ['NoSuchThing', { '1.20.2': false, '1.36.0': 'unsure' }],
])('admission plugin %s', (plugin, known) => {
  const found = Object.keys(known).map((version) => [
    version,
    knownAdmissionPlugin(plugin, versionOf(version)),
  ]);
  expect(Object.fromEntries(found)).toEqual(known);
});

test('Kubernetes 1.36 has the gates of its own source', () => {
  const listed = releaseList('1.36').namesOf('feature-gates');
  expect(listed.length).toBeGreaterThan(40);
  expect(listed.filter((gate) => knownGate(gate, versionOf('1.36.0')) !== true)).toEqual([]);
});

test('Kubernetes 1.35 has the admission plugins of its reference page, and no other one', () => {
  const listed = releaseList('1.35').namesOf('admission-plugins');
  const version = versionOf('1.35.0');
  expect(listed.length).toBeGreaterThan(30);
  expect(listed.filter((plugin) => knownAdmissionPlugin(plugin, version) !== true)).toEqual([]);
  expect(admissionPluginsOf(version)).toEqual(listed);
});

function run(program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', timeout: 30_000 }, (_error, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });
}
