import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildKbin } from '../../scripts/build.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { isHealthy } from '../../src/health/check.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import type { Connect } from '../../src/remote/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment, type DeployOptions } from './deployment.ts';
import { rightBefore } from './right-before.ts';
import { wipe } from './wipe.ts';

const names = ['node1', 'node2', 'node3'];

let lab: Lab;
let deployment: Deployment;
beforeAll(async () => {
  lab = await startHosts({ names });
});
afterAll(() => lab?.stop());

const on = (name: string) => lab.host(name);
const pids = () =>
  Promise.all(lab.hosts.map(async (host) => (await host.exec(['pidof', 'etcd'])).stdout.trim()));
/** Everything that a deploy could have changed on the hosts. */
const traces = () =>
  Promise.all(
    lab.hosts.map((host) =>
      host.sh(
        'find /etc /usr/local /var/lib/etcd -newer /run/before -not -path "*/member/*" 2>/dev/null || true; pidof etcd || true',
      ),
    ),
  );
const mark = () => Promise.all(lab.hosts.map((host) => host.run('touch', '/run/before')));

/** Undoes the fault whatever `work` comes to. */
async function during(
  fault: Promise<unknown>,
  work: () => Promise<void>,
  undo: () => Promise<unknown>,
): Promise<void> {
  await fault;
  try {
    await work();
  } finally {
    await undo();
  }
}

/** The deploy stops with this, and no host is touched. */
async function expectRefused(error: object, options: DeployOptions = {}): Promise<void> {
  await mark();
  const former = await traces();
  await expect(deployment.deploy(options)).rejects.toMatchObject(error);
  expect(await traces()).toEqual(former);
}

async function expectHealed(): Promise<void> {
  const { health } = await deployment.deploy();
  expect(health.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
}

/** Sends Ctrl-C, `times` times, once the process has said `word`, and returns how it ended. */
async function interrupted(child: ChildProcess, word: string, times: number) {
  let stderr = '';
  let sent = 0;
  const send = () => {
    if (sent++ < times && child.kill('SIGINT')) setTimeout(send, 150);
  };
  child.stderr?.on('data', (text) => {
    stderr += text;
    if (sent === 0 && stderr.includes(word)) send();
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, stderr };
}

describe('before there is a cluster', () => {
  beforeEach(async () => {
    await wipe(lab);
    deployment = await Deployment.create(lab);
  });
  afterEach(async () => {
    await expectHealed();
    await deployment.remove();
  });

  test('a port that is taken is told before anything is changed', async () => {
    await during(
      on('node2').occupyPort(2380),
      () =>
        expectRefused({
          message: expect.stringContaining('port 2380, which etcd needs, is taken by socat'),
          details: { host: 'node2' },
        }),
      () => on('node2').releasePort(2380),
    );
  });

  test('a port that is taken only later: the journal says so', async () => {
    const connect = rightBefore(await deployment.connect(), 'node2', 'commit', () =>
      on('node2').occupyPort(2380),
    );
    await during(
      Promise.resolve(),
      () =>
        expect(deployment.deploy({ connect })).rejects.toMatchObject({
          message: expect.stringContaining('does not stay up'),
          details: {
            host: 'node2',
            why: expect.stringContaining('another program already listens on'),
            output: expect.stringContaining('address already in use'),
          },
        }),
      () => on('node2').releasePort(2380),
    );
  });

  test('a clock that is wrong', async () => {
    await during(
      on('node3').setClock(3600),
      () =>
        expectRefused({
          message: expect.stringMatching(/clock is 3[56]\d\d\.\d s ahead of/),
          details: { host: 'node3' },
        }),
      () => on('node3').setClock(0),
    );
  });

  test('a data directory with somebody else’s files is never touched', async () => {
    await during(
      on('node1').sh('mkdir -p /var/lib/etcd; echo precious >/var/lib/etcd/database'),
      async () => {
        await expectRefused({
          details: { host: 'node1' },
          message: expect.stringContaining('/var/lib/etcd holds files'),
        });
        expect(await on('node1').run('cat', '/var/lib/etcd/database')).toBe('precious\n');
      },
      () => on('node1').run('rm', '-r', '/var/lib/etcd'),
    );
  });

  test('a host that does not answer', async () => {
    await during(
      on('node3').kill(),
      async () => {
        await expect(deployment.deploy()).rejects.toMatchObject({
          details: { host: 'node3', next: expect.stringContaining('--skip-host node3') },
        });
        // Left out, the others still make no new cluster without it.
        await deployment.deploy({ skipHosts: ['node3'] });
        for (const name of ['node1', 'node2']) {
          expect(await on(name).exec(['pidof', 'etcd'])).toMatchObject({ stdout: '' });
        }
      },
      () => on('node3').start(),
    );
  });

  test('a disk that fills up while files are sent', async () => {
    const connect = rightBefore(await deployment.connect(), 'node2', /^upload .usr/, () =>
      on('node2').fillDisk('/usr/local/bin', 1024),
    );
    await during(
      Promise.resolve(),
      async () => {
        await expect(deployment.deploy({ connect })).rejects.toMatchObject({
          details: { host: 'node2', why: 'the disk is full' },
        });
        expect(await pids()).toEqual(['', '', '']);
      },
      () => on('node2').freeDisk('/usr/local/bin'),
    );
  });

  test('a user without sudo', async () => {
    await deployment.change({ user: 'nosudo' });
    await expectRefused({ details: { host: 'node1' }, message: expect.stringMatching(/root|sudo/) });
    await deployment.change({ user: 'root' });
  });

  test('a setting that etcd does not accept: the journal’s last lines and the likely cause', async () => {
    await deployment.change({ etcd: 'environment: { ETCD_AUTO_COMPACTION_MODE: sometimes }' });
    await expect(deployment.deploy()).rejects.toMatchObject({
      message: expect.stringContaining('etcd.service does not stay up'),
      details: { output: expect.stringContaining('sometimes') },
    });
    await deployment.change({ etcd: '' });
  });

  test('Ctrl-C stops between two steps, says where, and the next run carries on', async () => {
    const stop = new AbortController();
    const connect = rightBefore(await deployment.connect(), 'node2', 'prepare', async () => stop.abort());
    await expect(deployment.deploy({ connect, signal: stop.signal })).rejects.toMatchObject({
      message: 'Stopped, as you asked',
      details: { why: expect.stringMatching(/nothing of (it|them) is in force/) },
    });
    expect(await pids()).toEqual(['', '', '']);
  });

  test('Ctrl-C in a terminal: a clean stop at the first, an end at once at the second', async () => {
    await buildKbin(join(deployment.folder, 'dist'));
    const kbin = () => {
      const argv = ['-c', deployment.file, 'etcd', 'deploy'];
      return spawn(join(deployment.folder, 'dist/kbin'), argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    };
    const said = await interrupted(kbin(), 'uploading', 1);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('error: Stopped, as you asked');
    expect(said.stderr).toContain('Run the same command again');
    expect(await pids()).toEqual(['', '', '']);
    // A step that was begun is finished first, unless the user insists.
    expect(await interrupted(kbin(), 'starting', 2)).toMatchObject({ signal: 'SIGINT' });
  });
});

describe('a running cluster', () => {
  beforeAll(async () => {
    await wipe(lab);
    deployment = await Deployment.create(lab);
    await deployment.deploy();
    await put('/before', 'kept');
  });
  afterEach(async () => {
    await expectHealed();
    expect(await get('/before')).toBe('kept');
  });
  afterAll(() => deployment?.remove());

  const client = async () => {
    const [target] = await deployment.targets();
    if (target === undefined) throw new Error('no target');
    return openMember(target, await deployment.credentials());
  };
  const put = async (key: string, value: string) => (await client()).put(key, value);
  const get = async (key: string) => (await client()).get(key, 'linearizable');

  test('a member that is down is started, and the others are left alone', async () => {
    await on('node2').run('systemctl', 'stop', 'etcd');
    const former = await pids();
    const report = await deployment.deploy();
    expect(report.plan.hosts.map(({ disruption }) => disruption)).toEqual(['none', 'start', 'none']);
    const now = await pids();
    expect([now[0], now[2]]).toEqual([former[0], former[2]]);
    expect(now[1]).toMatch(/^\d+$/);
  });

  test('a member that is down and a change: it is repaired first, then the others restart one by one', async () => {
    await on('node1').run('systemctl', 'stop', 'etcd');
    deployment.steps.length = 0;
    await deployment.change({ etcd: 'snapshotCount: 12345' });
    await deployment.deploy();
    const order = deployment.steps.filter((step) => /: (starting|restarting|healthy)$/.test(step));
    expect(order.slice(0, 2)).toEqual(['node1: starting', 'node1: healthy']);
    expect(order).toHaveLength(6);
  });

  test('all members down at once, as after a power cut', async () => {
    await Promise.all(lab.hosts.map((host) => host.kill()));
    await Promise.all(lab.hosts.map((host) => host.start()));
    await Promise.all(lab.hosts.map((host) => host.run('systemctl', 'stop', 'etcd')));
    const report = await deployment.deploy();
    expect(isHealthy(report.health.checks)).toBe(true);
  });

  test('a known member whose data is gone is never started; removed from the cluster, it joins again', async () => {
    await on('node3').sh('systemctl stop etcd; rm -rf /var/lib/etcd/member');
    const known = await deployment.health();
    await expectRefused({
      message: expect.stringContaining('/var/lib/etcd holds no member’s log'),
      details: { host: 'node3', next: expect.stringContaining('etcdctl member remove') },
    });
    expect(await on('node3').sh('pidof etcd || ls -A /var/lib/etcd')).toBe('');
    const members = await (await client()).members();
    const id = members.find(({ name }) => name === 'node3')?.id ?? '';
    expect(known.members.some(({ memberId }) => memberId === id)).toBe(false);
    await (await client()).remove(id);
    const report = await deployment.deploy();
    expect(report.joined).toEqual(['node3']);
  });

  test('a data directory that belongs to another cluster stops the run', async () => {
    await on('node2').sh(`systemctl stop etcd; mv /var/lib/etcd/member /root/member
      su -s /bin/sh etcd -c 'timeout 3 /usr/local/bin/etcd --data-dir /var/lib/etcd --listen-client-urls http://127.0.0.1:9379 \
        --advertise-client-urls http://127.0.0.1:9379 --listen-peer-urls http://127.0.0.1:9380' >/dev/null 2>&1 || true
      test -d /var/lib/etcd/member/wal`);
    await expectRefused({ details: { host: 'node2' }, message: expect.stringContaining('cluster') });
    await on('node2').sh('rm -r /var/lib/etcd/member; mv /root/member /var/lib/etcd/member');
  });

  test('a host that does not answer: refused, or left out', async () => {
    await during(
      on('node3').kill(),
      async () => {
        await expect(deployment.deploy()).rejects.toMatchObject({ details: { host: 'node3' } });
        const report = await deployment.deploy({ skipHosts: ['node3'] });
        expect(report.skipped).toEqual(['node3']);
        expect(isHealthy(report.health.checks)).toBe(false);
      },
      () => on('node3').start(),
    );
  });

  test('with a member away no other is restarted', async () => {
    await deployment.change({ etcd: 'snapshotCount: 23456' });
    const running = () => Promise.all(['node1', 'node2'].map((name) => on(name).run('pidof', 'etcd')));
    await during(
      on('node3').kill(),
      async () => {
        const former = await running();
        await expect(deployment.deploy({ skipHosts: ['node3'] })).rejects.toMatchObject({
          message: expect.stringContaining('without losing quorum'),
          details: { next: expect.stringContaining('--allow-downtime') },
        });
        expect(await running()).toEqual(former);
      },
      () => on('node3').start(),
    );
  });

  test('two operators: the second is told who is at work', async () => {
    let reached: () => void = () => {};
    const working = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const connect: Connect = rightBefore(await deployment.connect(), 'node1', 'probe', async () => {
      reached();
      await held;
    });
    const operator = { user: 'anna', machine: 'desk', pid: 7, command: 'kbin etcd deploy' };
    const first = deployment.deploy({ connect, operator });
    await working;
    await expect(deployment.deploy()).rejects.toMatchObject({
      message: 'Another run of kbin is at work',
      details: { why: expect.stringContaining('anna@desk') },
    });
    release();
    await first;
  });

  test('a host that freezes in the middle: a clear error, and the next run carries on', async () => {
    await deployment.change({ etcd: 'snapshotCount: 34567', ssh: 'keepAlive: 1' });
    const connect = rightBefore(await deployment.connect(), 'node1', 'commit', () => on('node1').pause());
    await during(
      Promise.resolve(),
      () => expect(deployment.deploy({ connect })).rejects.toMatchObject({ details: { host: 'node1' } }),
      () => on('node1').unpause(),
    );
  });

  test('Ctrl-C between two restarts', async () => {
    await deployment.change({ etcd: 'snapshotCount: 45678' });
    deployment.steps.length = 0;
    const stop = new AbortController();
    const connect = rightBefore(await deployment.connect(), /./, 'clear up', async () => stop.abort());
    await expect(deployment.deploy({ connect, signal: stop.signal })).rejects.toMatchObject({
      message: 'Stopped, as you asked',
      details: { why: expect.stringContaining('1 of 3 restarts are done') },
    });
    expect(deployment.steps.filter((step) => step.endsWith(': healthy'))).toHaveLength(1);
  });
});

test('one member is restarted only with --allow-downtime', async () => {
  await wipe(lab);
  deployment = await Deployment.create(lab, { hosts: ['node1'] });
  await deployment.deploy();
  await deployment.change({ etcd: 'snapshotCount: 12345' });
  await expectRefused({ message: 'node1 cannot be restarted without losing quorum' });
  const report = await deployment.deploy({ allowDowntime: true });
  expect(isHealthy(report.health.checks)).toBe(true);
  await deployment.remove();
});

test('an archive with another checksum than cluster.yaml pins is refused', async () => {
  deployment = await Deployment.create(lab, { hosts: ['node1'] });
  const folder = join(deployment.folder, 'other');
  await mkdir(folder);
  await writeFile(join(folder, 'etcd.tar.gz'), 'no tarball');
  await deployment.change({ source: `{ path: other/etcd.tar.gz, sha256: ${'0'.repeat(64)} }` });
  await expectRefused({ message: expect.stringMatching(/sha256|checksum|digest/i) });
  await deployment.remove();
});
