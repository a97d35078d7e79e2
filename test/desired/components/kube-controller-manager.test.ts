import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { desire } from '../../../src/desired/desire.ts';
import type { StoreView } from '../../../src/desired/store-view.ts';
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

describe('the key of kubernetes-ca', () => {
  const desired = (store: StoreView, offline: Cluster['pki']['offline']) => {
    const cluster = exampleCluster({ pki: { offline } });
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const [component] = desire(cluster, host, { store, only: ['kube-controller-manager'] }).components;
    const flags = component?.unit.process.argv.filter((word) => word.startsWith('--cluster-signing')) ?? [];
    const files = component?.bundles.flatMap((bundle) => bundle.files.map(({ path }) => path)) ?? [];
    return { flags: flags.length, files: files.filter((path) => path.startsWith('signing-ca')) };
  };
  const store = fullStore();
  const keyless = fullStore({ key: (id) => (id === 'kubernetes-ca' ? undefined : store.key(id)) });

  test('signs for nodes where it is known', () => {
    expect(desired(store, [])).toEqual({ flags: 2, files: ['signing-ca.crt', 'signing-ca.key'] });
    expect(desired(store, ['etcd-ca'])).toEqual({ flags: 2, files: ['signing-ca.crt', 'signing-ca.key'] });
  });

  test('never gets to a host where it is kept offline, or where only others have it', () => {
    expect(desired(store, ['kubernetes-ca'])).toEqual({ flags: 0, files: [] });
    expect(desired(keyless, [])).toEqual({ flags: 0, files: [] });
  });
});
