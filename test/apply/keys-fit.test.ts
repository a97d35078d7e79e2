import { expect, test } from 'vitest';
import { refuseForeignKeys } from '../../src/apply/keys-fit.ts';
import type { Workplace } from '../../src/apply/work.ts';
import type { ClusterHost } from '../../src/cluster/cluster.ts';
import { desire } from '../../src/desired/desire.ts';
import type { StoreView } from '../../src/desired/store-view.ts';
import type { HostPlan } from '../../src/diff/changes.ts';
import { KbinError } from '../../src/errors.ts';
import { filledStore, smallCluster } from '../ca/stores.ts';

/** etcd on the one host, with all of its bundle to be brought. */
function place(store: StoreView): Workplace {
  const host = smallCluster.hosts[0] as ClusterHost;
  const component = desire(smallCluster, host, { store, only: ['etcd'] }).components[0];
  if (component === undefined) throw new Error('no etcd');
  const changes = component.bundles.map(
    ({ path }) => ({ kind: 'bundle', target: path, action: 'update', reason: '' }) as const,
  );
  const plan: HostPlan = { host: host.name, component: 'etcd', changes, disruption: 'none' };
  return { name: host.name, host: {}, task: { component, plan, observed: {} } } as unknown as Workplace;
}

test('keys are looked at once each, and one of another certificate, or that cannot be read, is named', async () => {
  const store = await filledStore();
  const places = [place(store.view()), place(store.view())];
  const asked: string[] = [];
  const readSecret = (ref: string) => {
    asked.push(ref);
    return store.readSecret(ref);
  };
  await refuseForeignKeys({ readSecret }, places);
  expect(asked).toEqual([
    'etcd-ca/etcd-server@m1.key',
    'etcd-ca/etcd-peer@m1.key',
    'etcd-ca/etcd-healthcheck-client.key',
  ]);
  const swapped = (ref: string) => store.readSecret(ref.replace('peer', 'server'));
  const error = await refuseForeignKeys({ readSecret: swapped }, places).catch((reason: unknown) => reason);
  if (!(error instanceof KbinError)) throw new Error('took it');
  expect(error.message).toBe('pki/etcd-ca/etcd-peer@m1.key is not the key of pki/etcd-ca/etcd-peer@m1.crt');
  expect(error.details.next).toContain('remove pki/etcd-ca/etcd-peer@m1.crt');
  await expect(refuseForeignKeys({ readSecret: async () => Buffer.from('no key') }, places)).rejects.toThrow(
    'etcd-server@m1.key is not the key of',
  );
});

test('what is not brought is not looked at', async () => {
  const store = await filledStore();
  const kept = place(store.view());
  const task = { ...kept.task, plan: { ...kept.task.plan, changes: [] } };
  await refuseForeignKeys({ readSecret: () => Promise.reject(new Error('asked')) }, [{ ...kept, task }]);
});
