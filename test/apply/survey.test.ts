import { expect, test } from 'vitest';
import { hostsOfRun } from '../../src/apply/survey.ts';
import { exampleCluster } from '../cluster/fixture.ts';

const cluster = exampleCluster();
const names = cluster.hosts.filter(({ roles }) => roles.includes('etcd')).map(({ name }) => name);

test('a run is about the hosts of the role that are not left out', () => {
  expect(hostsOfRun(cluster, 'etcd', []).map(({ name }) => name)).toEqual(names);
  expect(hostsOfRun(cluster, 'etcd', names.slice(0, 1)).map(({ name }) => name)).toEqual(names.slice(1));
});

test('leaving out a host that is none, or all of them, is a usage error', () => {
  expect(() => hostsOfRun(cluster, 'etcd', ['nobody'])).toThrowError(
    expect.objectContaining({ details: expect.objectContaining({ exit: 2 }) }),
  );
  expect(() => hostsOfRun(cluster, 'etcd', names)).toThrowError(
    expect.objectContaining({
      message: '--skip-host leaves no etcd host',
      details: expect.objectContaining({ exit: 2 }),
    }),
  );
});
