import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment } from './deployment.ts';
import { InterruptedDeploy, type When } from './interrupt.ts';
import { wipe } from './wipe.ts';

const names = ['node1', 'node2', 'node3'];

let lab: Lab;
let deployment: Deployment;
let interrupted: InterruptedDeploy;
beforeAll(async () => {
  lab = await startHosts({ names });
  deployment = await Deployment.create(lab);
  interrupted = await InterruptedDeploy.create(deployment.folder, 'etcd');
});
afterAll(async () => {
  await deployment?.remove();
  await lab?.stop();
});

/** The next run, an ordinary one, carries on, and the one after it finds nothing to do and nothing left behind. */
async function expectConvergence(): Promise<void> {
  const { health } = await deployment.deploy();
  expect(health.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  const { plan } = await deployment.deploy();
  expect(isEmpty(plan)).toBe(true);
  for (const host of lab.hosts) {
    expect(await host.sh('find /etc /usr/local/bin -maxdepth 2 -name ".kbin-*"')).toBe('');
  }
}

/** Kills the deploy there and lets the next runs show what came of it. */
async function cutOff(key: string, when: When): Promise<void> {
  const { signal, effects } = await interrupted.run(key, when);
  expect({ signal, reached: effects.includes(key) }).toEqual({ signal: 'SIGKILL', reached: true });
  await expectConvergence();
}

/** What only looks: killed there, a run leaves what the effect before it left. */
const looking = ['probe'];
const onEach = (...steps: string[]) => names.flatMap((name) => steps.map((step) => `${name}: ${step}`));

describe('a first deploy', () => {
  const uploads = [
    'small files',
    '/usr/local/bin/etcd',
    '/usr/local/bin/etcdctl',
    '/usr/local/bin/etcdutl',
  ].map((what) => `upload ${what}`);
  const acting = ['lock', 'prepare', ...uploads, 'commit', 'clear up'];

  const fromNothing = async () => {
    await wipe(lab);
    await rm(join(deployment.folder, 'pki/etcd-cluster-id'), { force: true });
  };

  test('has the effects on hosts that this file enumerates, and no others', async () => {
    await fromNothing();
    const { effects } = await interrupted.run();
    expect(effects.toSorted()).toEqual(onEach(...looking, ...acting).toSorted());
    await expectConvergence();
  });

  test.each(onEach(...acting))('killed after %s: the next run carries on', async (key) => {
    await fromNothing();
    await cutOff(key, 'after');
  });

  test.each(acting.slice(1).map((step) => `node2: ${step}`))(
    'killed during %s: the next run carries on',
    async (key) => {
      await fromNothing();
      await cutOff(key, 'during');
    },
  );
});

describe('a rolling change', () => {
  const acting = ['upload small files', 'commit', 'clear up'];
  let value = 20_000;
  /** Each time another setting, on a cluster that runs with the former one and holds data. */
  const changed = async () => {
    value++;
    await deployment.change({ etcd: `snapshotCount: ${value}` });
  };
  const client = async () => {
    const [target] = await deployment.targets();
    if (target === undefined) throw new Error('no target');
    return openMember(target, await deployment.credentials());
  };

  beforeAll(async () => {
    await deployment.deploy();
    await (await client()).put('/before', 'kept');
  });

  test('has the effects on hosts that this file enumerates, and no others', async () => {
    await changed();
    const { effects } = await interrupted.run();
    expect(effects.toSorted()).toEqual(onEach('lock', ...looking, ...acting).toSorted());
    await expectConvergence();
  });

  test.each([
    ...onEach(...acting).map((key) => [key, 'after'] as const),
    ...onEach('commit').map((key) => [key, 'during'] as const),
  ])('killed at %s (%s): the next run carries on, and nothing is lost', async (key, when) => {
    await changed();
    await cutOff(key, when);
    expect(await (await client()).get('/before', 'linearizable')).toBe('kept');
    for (const host of lab.hosts) {
      expect(await host.run('cat', '/etc/etcd/etcd.conf')).toContain(`ETCD_SNAPSHOT_COUNT="${value}"`);
    }
  });
});

describe('a join', () => {
  beforeEach(async () => {
    await wipe(lab);
    await rm(join(deployment.folder, 'pki/etcd-cluster-id'), { force: true });
    await deployment.configure({ hosts: ['node1'] });
    await deployment.deploy();
    await deployment.configure({ hosts: ['node1', 'node2'] });
  });

  /** Between uploads and commit the learner is added; between commit and clearing up it gets its vote. */
  test.each([
    ['upload small files', 'after'],
    ['commit', 'before'],
    ['commit', 'during'],
    ['commit', 'after'],
    ['clear up', 'before'],
    ['clear up', 'after'],
  ] as const)('killed at %s (%s): the next run carries on', async (step, when) => {
    await cutOff(`node2: ${step}`, when);
    const { members } = await deployment.health();
    expect(members.map(({ role }) => role).toSorted()).toEqual(['follower', 'leader']);
  });
});
