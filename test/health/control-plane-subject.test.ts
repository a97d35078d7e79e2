import { describe, expect, test } from 'vitest';
import { componentTargets } from '../../src/health/component-target.ts';
import { etcdPrefixOf } from '../../src/health/control-plane-subject.ts';
import { exampleCluster } from '../cluster/fixture.ts';

const unconnected = () => Promise.reject(new Error('nobody is asked'));

function withFlags(
  component: 'kube-apiserver' | 'kube-scheduler',
  flags: Readonly<Record<string, readonly string[]>>,
) {
  const cluster = exampleCluster();
  const { kubernetes } = cluster;
  const components = {
    ...kubernetes.components,
    [component]: { ...kubernetes.components[component], flags },
  };
  return { ...cluster, kubernetes: { ...kubernetes, components } };
}

describe('where a component is asked on its host', () => {
  test.each<[Readonly<Record<string, readonly string[]>>, string, number]>([
    [{}, '127.0.0.1', 10259],
    [{ 'secure-port': ['10300'] }, '127.0.0.1', 10300],
    [{ 'bind-address': ['0.0.0.0'] }, '127.0.0.1', 10259],
    [{ 'bind-address': ['::'] }, '::1', 10259],
    [{ 'bind-address': ['192.0.2.7'] }, '192.0.2.7', 10259],
    [{ 'bind-address': ['fd00::7'], 'secure-port': ['1', '2'] }, 'fd00::7', 2],
  ])('%j: %s, %d', (flags, address, port) => {
    const found = componentTargets(withFlags('kube-scheduler', flags), unconnected);
    for (const one of found.filter(({ component }) => component === 'kube-scheduler'))
      expect([one.address, one.port]).toEqual([address, port]);
    expect(found.length).toBeGreaterThan(1);
  });
});

test.each([
  [undefined, '/registry'],
  ['/kubernetes.io', '/kubernetes.io'],
  ['own/place/', '/own/place'],
])('--etcd-prefix %s: %s', (flag, expected) => {
  const flags = flag === undefined ? {} : { 'etcd-prefix': [flag] };
  expect(etcdPrefixOf(withFlags('kube-apiserver', flags))).toBe(expected);
});
