import { rm } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { type Cause, causeOf } from '../../src/health/causes.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { readMember } from '../../src/health/live.ts';
import type { EtcdTarget } from '../../src/health/target.ts';
import { type LocalEtcd, startEtcd } from './local-etcd.ts';

vi.setConfig({ testTimeout: 120_000 });

function firstOf({ targets }: LocalEtcd): EtcdTarget {
  const [target] = targets;
  if (target === undefined) throw new Error('no target');
  return target;
}

/** Why the cluster does not take a learner; undefined when it does. */
async function refusalOf(etcd: LocalEtcd, peerUrl: string): Promise<Cause | undefined> {
  const client = await openMember(firstOf(etcd), await etcd.credentials());
  try {
    await client.addLearner([peerUrl]);
    return undefined;
  } catch (error) {
    return causeOf(error);
  } finally {
    await client.close();
  }
}

test('a key that etcd cannot read', async () => {
  await using etcd = await startEtcd({ size: 1 });
  await rm(etcd.authority.path('server.key'));
  const { failure } = await readMember(firstOf(etcd), await etcd.credentials());
  expect(failure).toMatchObject({
    code: 'server-key-unusable',
    message: expect.stringMatching(/^cannot use its own certificate and key/),
    next: expect.stringContaining('may read'),
  });
});

test('a learner while a member is away', async () => {
  await using etcd = await startEtcd();
  await etcd.member(2).stop();
  await expect
    .poll(() => refusalOf(etcd, 'https://127.0.0.1:9'), { timeout: 60_000, interval: 500 })
    .toMatchObject({ code: 'unhealthy-cluster' });
});

test('a second learner', async () => {
  await using etcd = await startEtcd({ size: 1 });
  expect(await refusalOf(etcd, 'https://127.0.0.1:9')).toBeUndefined();
  expect(await refusalOf(etcd, 'https://127.0.0.1:10')).toMatchObject({ code: 'too-many-learners' });
});

test('a change of membership before enough members have started', () => {
  const words =
    '9 FAILED_PRECONDITION: etcdserver: re-configuration failed due to not enough started members';
  expect(causeOf(words)).toMatchObject({ code: 'unhealthy-cluster' });
});
