import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { EtcdDeployReport } from '../../src/apply/deploy-etcd.ts';
import { openStore } from '../../src/ca/store.ts';
import { livePlan } from '../../src/cli/live-plan.ts';
import { isEmpty, type Plan } from '../../src/diff/changes.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { shareConnections } from '../../src/remote/share.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment } from './deployment.ts';
import { wipe } from './wipe.ts';

const names = ['node1', 'node2', 'node3'];

let lab: Lab;
let deployment: Deployment;
beforeAll(async () => {
  lab = await startHosts({ names });
});
afterAll(() => lab?.stop());

const on = (name: string) => lab.host(name);
const pid = async (name: string) => (await on(name).exec(['pidof', 'etcd'])).stdout.trim();
const pids = () => Promise.all(names.map(pid));

/** What `kbin plan` shows. */
async function plan(): Promise<Plan> {
  const connections = shareConnections(await deployment.connect());
  try {
    const [cluster, store] = [await deployment.cluster(), await openStore(join(deployment.folder, 'pki'))];
    return (await livePlan({ cluster, store, connect: connections.connect })).plan;
  } finally {
    await connections.close();
  }
}

/** `HOST ACTION TARGET`, of all changes. */
const changesOf = ({ hosts }: Plan) =>
  hosts.flatMap(({ host, changes }) => changes.map(({ action, target }) => `${host} ${action} ${target}`));

function expectHealthy({ health }: EtcdDeployReport): void {
  expect(health.checks.filter(({ status }) => status === 'fail')).toEqual([]);
}

/** What was done, in its order. */
const course = () =>
  deployment.steps.filter((step) => /: (starting|restarting|changing|healthy)$/.test(step));

describe('a running cluster of three', () => {
  beforeAll(async () => {
    await wipe(lab);
    deployment = await Deployment.create(lab);
    await deployment.deploy();
  });
  beforeEach(() => {
    deployment.steps.length = 0;
  });
  afterEach(async () => {
    const healed = await deployment.deploy();
    expectHealthy(healed);
    const before = await pids();
    const rerun = await deployment.deploy();
    expect(isEmpty(rerun.plan)).toBe(true);
    expectHealthy(rerun);
    expect(await pids()).toEqual(before);
  });
  afterAll(() => deployment?.remove());

  const freeze = (name: string) => on(name).run('pkill', '-STOP', '-x', 'etcd');

  test('a member that hangs is restarted: the plan shows it, and so does the report, with the health after it', async () => {
    await freeze('node2');
    const before = await pids();
    const planned = await plan();
    expect(changesOf(planned)).toEqual(['node2 restart etcd.service']);
    expect(planned.hosts[1]).toMatchObject({
      disruption: 'restart',
      changes: [{ reason: expect.stringMatching(/^runs and does not answer \(no answer after/) }],
    });
    const report = await deployment.deploy();
    expect(changesOf(report.plan)).toEqual(['node2 restart etcd.service']);
    expectHealthy(report);
    const [first, second, third] = await pids();
    expect([first, third]).toEqual([before[0], before[2]]);
    expect(second).not.toBe(before[1]);
  });

  test('a member whose key etcd cannot read is a voter: it gets its key back after the one that is down, and is not restarted', async () => {
    await on('node1').run('chown', 'nobody', '/etc/etcd/pki/server.key');
    await on('node2').run('systemctl', 'stop', 'etcd');
    const before = await pids();
    const planned = await plan();
    expect(planned.hosts.map(({ disruption }) => disruption)).toEqual(['none', 'start', 'none']);
    expect(planned.findings).toMatchObject([
      { host: 'node1', code: 'member-silent', message: expect.stringContaining('certificate and key') },
    ]);
    const report = await deployment.deploy();
    expect(changesOf(report.plan)).toEqual(['node1 update /etc/etcd/pki', 'node2 start etcd.service']);
    expectHealthy(report);
    expect(course()).toEqual(['node2: starting', 'node2: healthy', 'node1: changing', 'node1: healthy']);
    const [first, second, third] = await pids();
    expect([first, third]).toEqual([before[0], before[2]]);
    expect(second).not.toBe('');
  });

  test('a member that hangs and whose key changed owner: the key first, and the restart as that does not help', async () => {
    await freeze('node3');
    await on('node3').run('chown', 'nobody', '/etc/etcd/pki/server.key');
    expect(changesOf(await plan())).toEqual(['node3 update /etc/etcd/pki', 'node3 restart etcd.service']);
    expectHealthy(await deployment.deploy());
    expect(course()).toEqual(['node3: changing', 'node3: restarting', 'node3: healthy']);
  });

  test('a restart that turns out not to be needed is not made, and not reported', async () => {
    await freeze('node3');
    await on('node3').run('chown', 'nobody', '/etc/etcd/pki/server.key');
    const before = await pids();
    onTestFinished(async () => void (await on('node3').exec(['pkill', '-CONT', '-x', 'etcd'])));
    const deploying = deployment.deploy();
    await expect.poll(course, { timeout: 60_000 }).toContain('node3: changing');
    await on('node3').run('pkill', '-CONT', '-x', 'etcd');
    const report = await deploying;
    expect(changesOf(report.plan)).toEqual(['node3 update /etc/etcd/pki']);
    expectHealthy(report);
    expect(await pids()).toEqual(before);
  });

  test('one hangs and one is down: the one that is down is started before the other is restarted', async () => {
    await freeze('node1');
    await on('node2').run('systemctl', 'stop', 'etcd');
    const report = await deployment.deploy();
    expectHealthy(report);
    expect(course()).toEqual(['node2: starting', 'node2: healthy', 'node1: restarting', 'node1: healthy']);
  });

  test('with another member away it is not restarted, unless downtime is allowed', async () => {
    await freeze('node1');
    await on('node3').kill();
    try {
      const before = [await pid('node1'), await pid('node2')];
      await expect(deployment.deploy({ skipHosts: ['node3'] })).rejects.toMatchObject({
        message: expect.stringMatching(/^node1 runs and does not answer, and cannot be restarted/),
        details: { host: 'node1', next: expect.stringContaining('--allow-downtime') },
      });
      expect([await pid('node1'), await pid('node2')]).toEqual(before);
      await deployment.deploy({ skipHosts: ['node3'], allowDowntime: true });
      expect(await pid('node1')).not.toBe(before[0]);
      expect(await pid('node2')).toBe(before[1]);
    } finally {
      await on('node3').start();
    }
  });

  describe('a client port that is closed to this machine', () => {
    async function during(name: string, target: 'DROP' | 'REJECT', work: () => Promise<void>): Promise<void> {
      const operator = on(name).address.replace(/\d+$/, '1');
      const rule = ['INPUT', '-p', 'tcp', '--dport', '2379', '-s', operator, '-j', target];
      await on(name).run('iptables', '-I', ...rule);
      try {
        await work();
      } finally {
        await on(name).run('iptables', '-D', ...rule);
      }
    }

    test.each(['DROP', 'REJECT'] as const)('%s: it is asked through SSH, and left alone', (target) =>
      during('node2', target, async () => {
        const before = await pids();
        const planned = await plan();
        expect(isEmpty(planned)).toBe(true);
        expect(planned.findings).toMatchObject([
          { severity: 'warning', host: 'node2', code: 'port-closed', next: expect.stringContaining('ssh') },
        ]);
        const report = await deployment.deploy();
        expect(isEmpty(report.plan)).toBe(true);
        expectHealthy(report);
        expect(await pids()).toEqual(before);
        expect(deployment.steps).toContainEqual(
          expect.stringMatching(/^warning: node2: port 2379 is closed to this machine/),
        );
      }),
    );

    test('its settings change: it is restarted in its turn, asked through SSH', () =>
      during('node2', 'DROP', async () => {
        await deployment.change({ etcd: 'snapshotCount: 23456' });
        expectHealthy(await deployment.deploy());
        expect(course().filter((step) => step.endsWith('restarting'))).toHaveLength(3);
      }));

    test('where SSH does not forward either, it is left alone, and the run says why', () =>
      during('node2', 'DROP', async () => {
        const setting = '/etc/ssh/sshd_config.d/00-closed.conf';
        await on('node2').sh(`echo 'AllowTcpForwarding no' >${setting}; systemctl reload ssh`);
        try {
          const before = await pids();
          await expect(deployment.deploy()).rejects.toMatchObject({
            message: expect.stringMatching(
              /etcd runs on node2, .*its sshd allows no forwarding.*it is left alone$/,
            ),
            details: { host: 'node2', next: expect.stringContaining('AllowTcpForwarding') },
          });
          expect(await pids()).toEqual(before);
        } finally {
          await on('node2').sh(`rm ${setting}; systemctl reload ssh`);
        }
      }));
  });
});

test('from one member to three in one run, where a run that was cut off has left a learner', async () => {
  await wipe(lab);
  deployment = await Deployment.create(lab, { hosts: ['node1'] });
  await deployment.deploy();
  const [target] = await deployment.targets();
  if (target === undefined) throw new Error('no target');
  const client = await openMember(target, await deployment.credentials());
  await client.addLearner([`https://${on('node3').address}:2380`]);
  await client.close();
  await deployment.change({ hosts: names });
  const report = await deployment.deploy();
  expect(report.joined).toEqual(['node3', 'node2']);
  expectHealthy(report);
  expect(report.health.members.map(({ role }) => role)).not.toContain('learner');
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
  await deployment.remove();
});
