import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { deployEtcd } from '../../src/apply/deploy-etcd.ts';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import type { Progress } from '../../src/cli/io.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { KbinError } from '../../src/errors.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';

const quiet: Progress = {
  step: () => {},
  transfer: () => {},
  done: () => {},
  fail: () => {},
  note: () => {},
  end: () => {},
};

/** Nobody listens on these ports of loopback. */
const cluster = exampleCluster({
  hosts: ['a', 'b', 'c'].map((name, index) => exampleHost(name, `127.0.0.${index + 1}`, ['etcd'])),
  etcd: { clientPort: 9, peerPort: 10 },
});

async function storeOf(of: Cluster): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'kbin-deploy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore(join(folder, 'pki'));
  await reconcileStore(certificatePlan(of), store, { now: new Date(), command: 'test' });
  return openStore(join(folder, 'pki'));
}

test('binaries that cannot be had end the run as an error, also while hosts still connect', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const deploying = deployEtcd({
    cluster,
    store: await storeOf(cluster),
    connect: async (name) => {
      await sleep(100);
      throw new KbinError('no route to host', { host: name, step: 'connect' });
    },
    binaries: () => Promise.reject(new KbinError('etcd.tar.gz: no such file', { next: 'bring it' })),
    operator: { user: 'test', machine: 'here', pid: 1, command: 'test' },
    progress: quiet,
    allowDowntime: false,
    skipHosts: [],
    within: 1,
    now: Date.now,
  });
  await expect(deploying).rejects.toMatchObject({
    message: 'etcd.tar.gz: no such file',
    details: { next: 'bring it' },
  });
  await sleep(50);
  expect(unhandled).toEqual([]);
});
