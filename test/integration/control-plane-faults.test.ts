import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { isHealthy } from '../../src/health/check.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import type { DeployOptions } from './deployment.ts';
import { rightBefore } from './right-before.ts';
import { wipe, wipeControlPlane } from './wipe.ts';

const names = ['node1', 'node2', 'node3'];
/** Of an apiserver: how long a 1.20 waits for watches when it is told to stop. Only the tests' patience is short. */
const quick = 'request-timeout: 5s';

/** For tests that wait for a process to give up, or for one that hangs to be given up. */
const patient = { timeout: 300_000 };

let lab: Lab;
let plane: ControlPlane;
beforeAll(async () => {
  lab = await startHosts({ names });
  plane = await ControlPlane.create(lab, { kubernetes: `apiserver: { flags: { ${quick} } }` });
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

const on = (name: string) => lab.host(name);
const pidsOf = (program: string) =>
  Promise.all(lab.hosts.map(async (host) => (await host.exec(['pidof', program])).stdout.trim()));
const apiservers = () => pidsOf('kube-apiserver');
const etcdEverywhere = (verb: 'start' | 'stop') =>
  Promise.all(lab.hosts.map((host) => host.run('systemctl', '--no-block', verb, 'etcd')));

const setFlags = (flags: string) =>
  plane.change({ kubernetes: `apiserver: { flags: { ${[quick, flags].filter(Boolean).join(', ')} } }` });

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

async function expectHealed(): Promise<void> {
  const { health } = await plane.deployControlPlane();
  expect(health.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
}

/** The deploy stops with this, and on no host is anything of the control plane. */
async function expectNothing(error: object, options: DeployOptions = {}): Promise<void> {
  await expect(plane.deployControlPlane(options)).rejects.toMatchObject(error);
  for (const host of lab.hosts) {
    const found =
      'find /etc/kubernetes /usr/local/bin/kube* /usr/local/bin/.kbin-* /etc/systemd/system/kube*';
    expect(await host.sh(`${found} 2>/dev/null || true`)).toBe('');
  }
}

describe('before there is a control plane', () => {
  test('without etcd nothing is brought to any host', async () => {
    await expectNothing({
      message: 'etcd is not healthy, and no apiserver comes up without it',
      details: { next: 'Run `kbin etcd deploy` first.' },
    });
  });

  describe('with etcd', () => {
    beforeAll(() => plane.deploy());
    beforeEach(() => wipeControlPlane(lab));

    test('a port that is taken is told before anything is changed', async () => {
      await during(
        on('node2').occupyPort(6443),
        () =>
          expectNothing({
            message: expect.stringContaining('port 6443, which kube-apiserver needs, is taken by socat'),
            details: { host: 'node2' },
          }),
        () => on('node2').releasePort(6443),
      );
    });

    test('a host whose sshd forwards nothing: its components could not be proven, so nothing is brought', async () => {
      const setting = '/etc/ssh/sshd_config.d/00-closed.conf';
      await during(
        on('node2').sh(`echo 'AllowTcpForwarding no' >${setting}; systemctl reload ssh`),
        () =>
          expectNothing({
            message: 'kube-controller-manager on node2 could not be asked how it is',
            details: { host: 'node2', next: expect.stringContaining('AllowTcpForwarding') },
          }),
        () => on('node2').sh(`rm ${setting}; systemctl reload ssh`),
      );
    });

    test('a port that is taken only later: the journal says so, and the next run carries on', async () => {
      const connect = rightBefore(await plane.connect(), 'node2', 'commit', () =>
        on('node2').occupyPort(6443),
      );
      await during(
        Promise.resolve(),
        () =>
          expect(plane.deployControlPlane({ connect })).rejects.toMatchObject({
            message: 'kube-apiserver.service does not stay up',
            details: {
              host: 'node2',
              why: expect.stringContaining('another program already listens on'),
              output: expect.stringContaining('address already in use'),
            },
          }),
        () => on('node2').releasePort(6443),
      );
      expect(await pidsOf('kube-controller-manager')).toEqual(['', '', '']);
      await expectHealed();
    });

    test('a value that an apiserver does not accept', async () => {
      await setFlags('max-requests-inflight: many');
      await expect(plane.deployControlPlane()).rejects.toMatchObject({
        message: '3 of 3 hosts failed',
        details: {
          output: expect.stringContaining(
            'kube-apiserver does not accept the value of --max-requests-inflight',
          ),
          next: expect.stringContaining('Correct it among the `flags` of that program'),
        },
      });
      await setFlags('');
      await expectHealed();
    });

    test('a key that does not belong to its certificate', async () => {
      const swap = () =>
        on('node1').sh(`cd /etc/kubernetes/pki/.kbin-new-kube-apiserver
          openssl ecparam -name prime256v1 -genkey -noout | tee .kbin-*-server.key >/dev/null`);
      const connect = rightBefore(await plane.connect(), 'node1', 'commit', swap);
      await expect(plane.deployControlPlane({ connect })).rejects.toMatchObject({
        details: {
          host: 'node1',
          why: expect.stringContaining(
            'a certificate, key or CA that kube-apiserver was given cannot be used',
          ),
        },
      });
      await expectHealed();
    });

    test('an etcd that goes while the apiservers start', patient, async () => {
      const connect = rightBefore(await plane.connect(), /./, 'commit', () => etcdEverywhere('stop'));
      await during(
        Promise.resolve(),
        () =>
          expect(plane.deployControlPlane({ connect })).rejects.toMatchObject({
            details: { output: expect.stringContaining('kube-apiserver does not reach etcd') },
          }),
        () => etcdEverywhere('start'),
      );
      await plane.deploy();
      await expectHealed();
    });

    test('one host down: refused, or left out, and brought in later', async () => {
      await during(
        on('node3').kill(),
        async () => {
          await expect(plane.deployControlPlane()).rejects.toMatchObject({
            details: { host: 'node3', next: expect.stringContaining('--skip-host node3') },
          });
          for (const name of ['node1', 'node2'])
            expect(await on(name).sh('pidof kube-apiserver || true')).toBe('');
          const { skipped, health } = await plane.deployControlPlane({ skipHosts: ['node3'] });
          expect(skipped).toEqual(['node3']);
          expect(isHealthy(health.checks)).toBe(false);
          expect(await plane.kubectl('node2', 'get', '--raw', '/readyz')).toBe('ok');
        },
        () => on('node3').start(),
      );
      await plane.deploy();
      await expectHealed();
    });
  });
});

describe('a running control plane', () => {
  beforeAll(async () => {
    await wipeControlPlane(lab);
    await setFlags('');
    await plane.deployControlPlane();
  });
  afterEach(() => expectHealed());

  test('a value that is not accepted is taken back on the first host, and the others are never touched', async () => {
    const before = await apiservers();
    await setFlags('max-requests-inflight: many');
    await expect(plane.deployControlPlane()).rejects.toMatchObject({
      message: 'kube-apiserver.service does not stay up',
      details: {
        host: 'node1',
        why: expect.stringContaining('its former files are back and it is healthy with them'),
      },
    });
    const after = await apiservers();
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(await plane.kubectl('node1', 'get', '--raw', '/readyz')).toBe('ok');
    await setFlags('');
  });

  test('an apiserver that is down is started, and the others are left alone', async () => {
    await on('node2').sh('systemctl kill --signal=KILL kube-apiserver; systemctl stop kube-apiserver');
    const before = await apiservers();
    await plane.deployControlPlane();
    const after = await apiservers();
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    expect(after[1]).toMatch(/^\d+$/);
  });

  test('with the others down no apiserver is restarted, and nothing is uploaded', patient, async () => {
    await setFlags('max-requests-inflight: 444');
    const down = ['node2', 'node3'];
    await during(
      Promise.all(down.map((name) => on(name).kill())),
      async () => {
        // Two of three etcd members are away with them: that alone stops it.
        await expect(plane.deployControlPlane({ skipHosts: down })).rejects.toMatchObject({
          message: 'etcd is not healthy, and no apiserver comes up without it',
        });
      },
      () => Promise.all(down.map((name) => on(name).start())),
    );
    const stopped = ['node2', 'node3'].map((name) =>
      on(name).run('systemctl', 'kill', '--signal=STOP', 'kube-apiserver'),
    );
    await during(
      Promise.all(stopped),
      async () => {
        const before = await apiservers();
        await expect(plane.deployControlPlane({ skipHosts: down })).rejects.toMatchObject({
          message: 'kube-apiserver on node1 cannot be restarted without an outage',
          details: { next: expect.stringContaining('--allow-downtime') },
        });
        expect(await apiservers()).toEqual(before);
      },
      () =>
        Promise.all(down.map((name) => on(name).run('systemctl', 'kill', '--signal=CONT', 'kube-apiserver'))),
    );
  });

  test('one that hangs is restarted, since the others serve', patient, async () => {
    await on('node3').run('systemctl', 'kill', '--signal=STOP', 'kube-apiserver');
    const before = await apiservers();
    const { plan } = await plane.deployControlPlane();
    // The other two on that host may have lost their leases over it, and be just starting again.
    const reasons = plan.hosts
      .filter(({ component }) => component === 'kube-apiserver')
      .flatMap(({ changes }) => changes.map(({ reason }) => reason));
    expect(reasons).toEqual(['runs and is not healthy']);
    const after = await apiservers();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toBe(before[2]);
  });

  test(
    'an apiserver whose port is closed to this machine is asked through SSH, and restarted in its turn',
    patient,
    async () => {
      await setFlags('max-requests-inflight: 666');
      const operator = on('node2').address.replace(/\d+$/, '1');
      const rule = ['INPUT', '-p', 'tcp', '--dport', '6443', '-s', operator, '-j', 'DROP'];
      await during(
        on('node2').run('iptables', '-I', ...rule),
        async () => {
          const before = await apiservers();
          const { plan } = await plane.deployControlPlane();
          expect(plan.hosts.filter(({ disruption }) => disruption === 'restart')).toHaveLength(3);
          const after = await apiservers();
          expect(after.filter((pid) => before.includes(pid))).toEqual([]);
        },
        () => on('node2').run('iptables', '-D', ...rule),
      );
    },
  );

  test('Ctrl-C between two restarts', async () => {
    await setFlags('max-requests-inflight: 555');
    const stop = new AbortController();
    const connect = rightBefore(await plane.connect(), /./, 'clear up', async () => stop.abort());
    await expect(plane.deployControlPlane({ connect, signal: stop.signal })).rejects.toMatchObject({
      message: 'Stopped, as you asked',
      details: { why: expect.stringContaining('1 of 3 restarts of kube-apiserver are done') },
    });
  });

  test('what no process reads is put right without a restart', async () => {
    const before = await Promise.all([apiservers(), pidsOf('kube-scheduler')]);
    await on(
      'node2',
    ).sh(`cd /etc/kubernetes; echo broken >admin.conf; chmod 600 kube-apiserver/audit-policy.yaml
      printf x >>/usr/local/bin/kubectl`);
    const { plan } = await plane.deployControlPlane();
    expect(plan.hosts.map(({ disruption }) => disruption)).toEqual(Array(9).fill('none'));
    expect(plan.hosts.flatMap(({ host, changes }) => changes.map(() => host))).toEqual(
      Array(3).fill('node2'),
    );
    expect(await plane.kubectl('node2', 'get', '--raw', '/readyz')).toBe('ok');
    expect(await Promise.all([apiservers(), pidsOf('kube-scheduler')])).toEqual(before);
  });
});

test('one apiserver alone is restarted only with --allow-downtime', async () => {
  await wipe(lab);
  await plane.remove();
  const kubernetes = (inflight: number) =>
    `apiserver: { flags: { ${quick}, max-requests-inflight: ${inflight} } }`;
  plane = await ControlPlane.create(lab, { hosts: ['node1'], kubernetes: kubernetes(400) });
  await plane.deploy();
  await plane.deployControlPlane();
  await plane.change({ kubernetes: kubernetes(401) });
  const before = await apiservers();
  await expect(plane.deployControlPlane()).rejects.toMatchObject({
    message: 'kube-apiserver on node1 cannot be restarted without an outage',
    details: {
      why: 'node1 is the only control-plane host',
      next: expect.stringContaining('--allow-downtime'),
    },
  });
  expect(await apiservers()).toEqual(before);
  const { health } = await plane.deployControlPlane({ allowDowntime: true });
  expect(isHealthy(health.checks)).toBe(true);
  expect(await apiservers()).not.toEqual(before);
});
