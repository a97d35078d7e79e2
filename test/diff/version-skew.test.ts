import { describe, expect, test } from 'vitest';
import type { ControlPlaneComponent } from '../../src/cluster/cluster.ts';
import type { ApiserverReading } from '../../src/diff/control-plane-view.ts';
import type { HostSides } from '../../src/diff/preflight.ts';
import { versionSkew } from '../../src/diff/version-skew.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { type Situation, sidesOf, told, unitText } from './control-plane-situations.ts';

const judged = (wanted: string, hosts: readonly HostSides[], readings: readonly ApiserverReading[] = []) =>
  versionSkew(exampleCluster({ kubernetes: { version: wanted } }), hosts, readings);

const runs = (version: string, component?: ControlPlaneComponent): Situation => ({
  unitText: unitText(version),
  runs: true,
  ...(component === undefined ? {} : { component }),
});
const stands = (version: string): Situation => ({ unitText: unitText(version) });
const answers = (index: number, version: string): ApiserverReading => ({
  host: `k8s-master${index + 1}`,
  reachable: true,
  ready: true,
  version,
});
const hosts = (...situations: (Situation | Situation[])[]) =>
  situations.map((situation, index) => sidesOf(index, situation));

test.each<[string, string, (Situation | Situation[])[], string[]]>([
  ['nothing is there yet', '1.34.1', [{}, {}], []],
  ['the same', '1.34.1', [runs('1.34.1'), runs('1.34.1')], []],
  ['a newer patch', '1.34.2', [runs('1.34.1'), runs('1.34.1')], []],
  ['one minor up, half done', '1.35.0', [runs('1.35.0'), runs('1.34.7')], []],
  ['a patch back', '1.34.1', [runs('1.34.3')], ['warning older-patch@k8s-master1']],
  ['a minor back', '1.33.9', [runs('1.34.1')], ['stop downgrade@k8s-master1']],
  ['a minor back, of one that stands still', '1.33.9', [stands('1.34.1')], ['stop downgrade@k8s-master1']],
  ['two minors up', '1.36.0', [runs('1.34.1')], ['stop skipped-minor@k8s-master1']],
  [
    'two minors up, of one that stands still',
    '1.36.0',
    [stands('1.34.1')],
    ['stop skipped-minor@k8s-master1'],
  ],
  ['one that stood still while the others went on', '1.36.0', [runs('1.35.2'), stands('1.34.1')], []],
  ['two minors apart', '1.36.0', [runs('1.36.0'), runs('1.34.1')], ['stop version-skew']],
  [
    'a controller-manager ahead of an apiserver',
    '1.34.1',
    [[runs('1.34.1'), runs('1.35.0', 'kube-controller-manager')], runs('1.34.1')],
    ['warning version-skew@k8s-master1'],
  ],
  [
    'a controller-manager behind',
    '1.35.0',
    [[runs('1.35.0'), runs('1.34.0', 'kube-controller-manager'), runs('1.34.0', 'kube-scheduler')]],
    [],
  ],
])('%s', (_what, wanted, situations, expected) => {
  expect(told(judged(wanted, hosts(...situations)))).toEqual(expected);
});

describe('what an apiserver says of itself', () => {
  test('counts before what its unit says, which may have been written and not started', () => {
    expect(told(judged('1.36.0', hosts(runs('1.35.0')), [answers(0, '1.34.1')]))).toEqual([
      'stop skipped-minor@k8s-master1',
    ]);
  });
  test('counts of a host that could not be looked at', () => {
    expect(told(judged('1.33.1', [], [answers(1, '1.34.1+build')]))).toEqual(['stop downgrade@k8s-master2']);
  });
  test('and that it says nothing is no version', () => {
    expect(judged('1.36.0', [], [{ host: 'k8s-master1', reachable: false }])).toEqual([]);
  });
});

test('is told so that it can be acted on', () => {
  expect(judged('1.36.0', hosts(runs('1.34.1')))).toEqual([
    {
      severity: 'stop',
      host: 'k8s-master1',
      code: 'skipped-minor',
      message: 'Kubernetes 1.34.1 runs; it goes to 1.36.0 one minor release at a time',
      next: 'deploy 1.35 first',
    },
  ]);
  expect(judged('1.36.0', hosts(runs('1.36.0'), runs('1.34.1'), runs('1.36.0')))[0]).toMatchObject({
    message:
      'the apiservers are more than one minor release apart: 1.34.1 runs on k8s-master2, 1.36.0 on k8s-master3',
    next: expect.stringContaining('`systemctl stop kube-apiserver` on k8s-master2'),
  });
});

test('a cluster without Kubernetes has no versions of it', () => {
  expect(
    versionSkew(exampleCluster({ kubernetes: { version: undefined } }), hosts(runs('1.34.1')), []),
  ).toEqual([]);
});
