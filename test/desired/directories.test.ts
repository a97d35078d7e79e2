import { expect, test } from 'vitest';
import { directoriesOf } from '../../src/desired/directories.ts';

const data = { path: '/fast/k8s/etcd/data', mode: 0o700, owner: 'etcd', group: 'etcd', recursive: true };
const of = (...args: Parameters<typeof directoriesOf>) =>
  directoriesOf(...args).map(({ path, passage }) => (passage ? `${path} (passage)` : path));

test('what leads to a folder has to let through, up to what is the system’s', () => {
  expect(of(['/usr/local/bin', '/opt/etcd/cfg', '/opt/etcd/cfg'], [data])).toEqual([
    '/fast (passage)',
    '/fast/k8s (passage)',
    '/fast/k8s/etcd (passage)',
    '/opt/etcd (passage)',
    '/opt/etcd/cfg',
    '/fast/k8s/etcd/data',
  ]);
});

test('a folder that is wanted itself is no passage', () => {
  expect(of(['/opt/etcd', '/opt/etcd/bin'], [{ ...data, path: '/opt/etcd/data' }])).toEqual([
    '/opt/etcd',
    '/opt/etcd/bin',
    '/opt/etcd/data',
  ]);
});
