import { expect, test } from 'vitest';
import { desire } from '../../../src/desired/desire.ts';
import { exampleCluster } from '../../cluster/fixture.ts';
import { fullStore } from '../store.ts';

/** What says how large a range of pod addresses a node gets. */
function maskFlags(podCidr: string, flags: Record<string, string[]> = {}): string[] {
  const cluster = exampleCluster({
    kubernetes: { podCidr, components: { 'kube-controller-manager': { flags } } },
  });
  const [host] = cluster.hosts;
  const only = ['kube-controller-manager'];
  const argv = host && desire(cluster, host, { store: fullStore(), only }).components[0]?.unit.process.argv;
  return (argv ?? []).filter((word) => word.startsWith('--node-cidr-mask-size'));
}

test('nodes get what their family is used to', () => {
  expect(maskFlags('10.244.0.0/16')).toEqual(['--node-cidr-mask-size=24']);
  expect(maskFlags('fd00:244::/48')).toEqual(['--node-cidr-mask-size=64']);
});

test('cluster.yaml has the say, with the flag of the family too', () => {
  expect(maskFlags('10.244.0.0/16', { 'node-cidr-mask-size': ['26'] })).toEqual(['--node-cidr-mask-size=26']);
  expect(maskFlags('10.244.0.0/16', { 'node-cidr-mask-size-ipv4': ['26'] })).toEqual([
    '--node-cidr-mask-size-ipv4=26',
  ]);
  expect(maskFlags('10.244.0.0/16', { 'allocate-node-cidrs': ['false'] })).toEqual([]);
});
