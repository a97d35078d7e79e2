import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EtcdDeployReport } from '../../src/apply/deploy-etcd.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { SUDO_PASSWORD } from '../lab/keys.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment, type Settings } from './deployment.ts';
import { wipe } from './wipe.ts';

let lab: Lab;
let deployment: Deployment;
beforeAll(async () => {
  lab = await startHosts({ count: 5 });
});
afterAll(() => lab?.stop());
afterEach(() => deployment?.remove());

const three = ['node1', 'node2', 'node3'];

/** What one host is, as far as a rerun must not touch it. */
const untouched = (names: readonly string[]) =>
  Promise.all(
    names.map((name) =>
      lab.host(name).sh(
        `cat /proc/sys/kernel/random/boot_id; pidof etcd; systemctl show -p InvocationID etcd
         find /etc /opt /usr/local -newer /run/began`,
      ),
    ),
  );

function expectHealthy({ health }: EtcdDeployReport): void {
  expect(health.checks.filter(({ status }) => status === 'fail' || status === 'skip')).toEqual([]);
}

/** Deploys, and again: the second run finds nothing to do and touches nothing. */
async function deployTwice(settings: Settings): Promise<EtcdDeployReport> {
  deployment = await Deployment.create(lab, settings);
  const report = await deployment.deploy();
  expectHealthy(report);
  const names = settings.hosts ?? [];
  await Promise.all(names.map((name) => lab.host(name).run('touch', '/run/began')));
  const before = await untouched(names);
  const rerun = await deployment.deploy();
  expect(isEmpty(rerun.plan)).toBe(true);
  expectHealthy(rerun);
  expect(await untouched(names)).toEqual(before);
  return report;
}

/** etcdctl on a host, with the certificates that kbin put there. */
const etcdctl = (name: string, bin: string, tls: string, ...argv: string[]) =>
  lab.host(name).exec([`${bin}/etcdctl`, ...argv], {
    env: {
      ETCDCTL_API: '3',
      ETCDCTL_ENDPOINTS: 'https://127.0.0.1:2379',
      ETCDCTL_CACERT: `${tls}/ca.crt`,
      ETCDCTL_CERT: `${tls}/healthcheck-client.crt`,
      ETCDCTL_KEY: `${tls}/healthcheck-client.key`,
    },
  });

beforeEach(() => wipe(lab));

describe('from nothing to a healthy cluster', () => {
  test('three members of 3.5.16 in the fhs layout', async () => {
    // Whatever systemd has to read out of a quoted value, the process has, or the rerun would restart it.
    const odd = 'a "b" $c `d` \\ é #e,*';
    const report = await deployTwice({
      hosts: three,
      etcd: `environment: { ETCD_HOST_WHITELIST: '${odd}' }`,
    });
    expect(await lab.host('node1').sh("tr '\\0' '\\n' </proc/$(pidof etcd)/environ")).toContain(
      `ETCD_HOST_WHITELIST=${odd}\n`,
    );
    expect(report).toMatchObject({ bootstrapped: true, joined: [], skipped: [] });
    expect(report.plan.hosts.map(({ host, disruption }) => [host, disruption])).toEqual(
      three.map((name) => [name, 'start']),
    );

    const answer = await etcdctl(
      'node1',
      '/usr/local/bin',
      '/etc/etcd/pki',
      'endpoint',
      'health',
      '--cluster',
    );
    expect(answer.code).toBe(0);
    expect(`${answer.stdout}${answer.stderr}`.match(/is healthy/g)).toHaveLength(3);

    const node1 = lab.host('node1');
    expect(
      await node1.sh(
        "stat -c '%a %U:%G %n' /etc/etcd/etcd.conf /etc/etcd/pki/*.key /etc/etcd/pki/server.crt",
      ),
    ).toBe(
      `644 root:root /etc/etcd/etcd.conf
600 etcd:etcd /etc/etcd/pki/healthcheck-client.key
600 etcd:etcd /etc/etcd/pki/peer.key
600 etcd:etcd /etc/etcd/pki/server.key
644 etcd:etcd /etc/etcd/pki/server.crt
`,
    );
    expect(await node1.run('systemctl', 'is-enabled', 'etcd')).toBe('enabled\n');
    expect(await node1.run('stat', '-c', '%a %U', '/var/lib/etcd')).toBe('700 etcd\n');
    expect(await node1.sh('ls -A /etc/etcd /usr/local/bin | grep kbin- || true')).toBe('kbin-member.json\n');
    const marker = JSON.parse(await node1.run('cat', '/etc/etcd/kbin-member.json'));
    expect(marker).toMatchObject({ clusterId: report.clusterId, name: 'node1' });
    expect((await readFile(join(deployment.folder, 'pki/etcd-cluster-id'), 'utf8')).trim()).toBe(
      report.clusterId,
    );
  });

  test('three members of 3.4.23 in the opt layout, the log on its own, as a user with sudo, health asked through SSH', async () => {
    await deployTwice({
      hosts: three,
      version: '3.4.23',
      user: 'ops',
      etcd: 'reach: ssh',
      more: 'paths: { layout: opt, etcd: { wal: /srv/etcd-wal } }',
    });
    const { etcd } = (await deployment.cluster()).paths;
    const answer = await etcdctl('node3', etcd.bin, etcd.tls, 'endpoint', 'health', '--cluster');
    expect(`${answer.stdout}${answer.stderr}`.match(/is healthy/g)).toHaveLength(3);
  });

  test('one member, as a user whose sudo wants a password', async () => {
    const password = join(dirname(lab.sshKey), 'sudo-password');
    await writeFile(password, SUDO_PASSWORD, { mode: 0o600 });
    await deployTwice({ hosts: ['node1'], user: 'opspw', ssh: `sudoPasswordFile: ${password}` });
    expect(deployment.steps.join('\n')).not.toContain(SUDO_PASSWORD);
  });

  test('five members', async () => {
    const report = await deployTwice({ hosts: lab.hosts.map(({ name }) => name) });
    expect(report.health.members).toHaveLength(5);
  });
});

test('hosts that are added later join a running cluster one at a time, with its data', async () => {
  await deployTwice({ hosts: ['node1'] });
  const put = await etcdctl('node1', '/usr/local/bin', '/etc/etcd/pki', 'put', '/before', 'kept');
  expect(put.code).toBe(0);
  await deployment.change({ hosts: three });
  const report = await deployment.deploy();
  expect(report).toMatchObject({ bootstrapped: false, joined: ['node2', 'node3'] });
  expectHealthy(report);
  expect(report.health.members.map(({ role }) => role).toSorted()).toEqual([
    'follower',
    'follower',
    'leader',
  ]);
  const got = await etcdctl(
    'node3',
    '/usr/local/bin',
    '/etc/etcd/pki',
    'get',
    '/before',
    '--print-value-only',
  );
  expect(got.stdout).toBe('kept\n');
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});

test('a setting that was changed on the host by hand is put back, and only there', async () => {
  await deployTwice({ hosts: three });
  const pids = () => Promise.all(three.map((name) => lab.host(name).run('pidof', 'etcd')));
  const before = await pids();
  await lab.host('node2').sh(`sed -i 's/^ETCD_SNAPSHOT_COUNT=.*/ETCD_SNAPSHOT_COUNT="1"/' /etc/etcd/etcd.conf
    touch -d '2001-01-01' /etc/etcd/etcd.conf; chmod 0666 /etc/etcd/pki/server.key`);
  const report = await deployment.deploy();
  expect(report.plan.hosts.map(({ disruption }) => disruption)).toEqual(['none', 'restart', 'none']);
  expectHealthy(report);
  const after = await pids();
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
  expect(await lab.host('node2').run('stat', '-c', '%a', '/etc/etcd/pki/server.key')).toBe('600\n');
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});
