/** `kbin verify`, `kbin etcd status` and `kbin etcd health` on a cluster that kbin deployed. */
import { execFile, spawn } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EtcdHealth } from '../../src/health/check.ts';
import type { Report } from '../../src/verify/report.ts';
import { programFolder } from '../cli/transcript.ts';
import { etcdRelease } from '../health/etcd-release.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { parseXml } from '../verify/xml.ts';
import { Deployment } from './deployment.ts';

let lab: Lab;
let deployment: Deployment;
let program = '';
let node2: LabHost;
let node3: LabHost;
beforeAll(async () => {
  [lab, program] = await Promise.all([startHosts({ count: 3 }), programFolder()]);
  node2 = lab.host('node2');
  node3 = lab.host('node3');
  deployment = await Deployment.create(lab);
  await deployment.deploy();
});
afterAll(async () => {
  await lab?.stop();
  await deployment?.remove();
});

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(file: string, argv: readonly string[]): Promise<Run> {
  const options = { cwd: deployment.folder, timeout: 120_000, maxBuffer: 1 << 24 };
  return new Promise((resolve) => {
    execFile(file, argv, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

const kbin = (...argv: string[]) => execute(join(program, 'kbin'), argv);

async function verify(...flags: string[]): Promise<{ code: number; report: Report; findings: string[] }> {
  const { code, stdout, stderr } = await kbin('verify', '--json', ...flags);
  if (stdout === '') throw new Error(stderr);
  expect(`${stdout}${stderr}`).not.toContain('PRIVATE KEY');
  const report = JSON.parse(stdout) as Report;
  const findings = report.sections
    .flatMap(({ checks }) => checks)
    .filter(({ status }) => status === 'fail' || status === 'warn')
    .map(({ status, id, target, message }) => `${status} ${id}${target ? ` ${target}` : ''}: ${message}`);
  return { code, report, findings };
}

async function wellAgain(): Promise<void> {
  await until(
    'verify finds nothing any more',
    async (saw) => {
      const { code, findings } = await verify();
      return (code === 0 && findings.length === 0) || saw(findings.join('\n'));
    },
    { timeoutMs: 120_000 },
  );
}

async function etcdctl(...argv: string[]): Promise<Run> {
  const pki = join(deployment.folder, 'pki', 'etcd-ca');
  return execute(join(await etcdRelease('3.5.16'), 'etcdctl'), [
    `--endpoints=https://${lab.host('node1').address}:2379`,
    `--cacert=${pki}/ca.crt`,
    `--cert=${pki}/etcd-healthcheck-client.crt`,
    `--key=${pki}/etcd-healthcheck-client.key`,
    ...argv,
  ]);
}

describe('a healthy cluster', () => {
  test('is what it should be: an empty plan, and every check passed', async () => {
    const { code, report, findings } = await verify('--junit', 'verify.xml');
    expect({ code, findings }).toEqual({ code: 0, findings: [] });
    expect(report.subject).toBe('cluster lab');
    expect(report.counts).toMatchObject({ warn: 0, fail: 0, skip: 0 });
    expect(report.sections[0]?.checks.map(({ id, target }) => [id, target])).toEqual(
      ['node1', 'node2', 'node3'].map((name) => ['etcd-unchanged', name]),
    );
    const junit = parseXml(await readFile(join(deployment.folder, 'verify.xml'), 'utf8'));
    expect(junit.children.map(({ attributes }) => [attributes.name, attributes.failures])).toEqual([
      ['plan', '0'],
      ['etcd', '0'],
    ]);
  });

  test('etcdctl agrees, and finds no key of ours', async () => {
    const health = await etcdctl('endpoint', 'health', '--cluster', '-w', 'json');
    expect(health.code).toBe(0);
    expect((JSON.parse(health.stdout) as { health: boolean }[]).map((member) => member.health)).toEqual([
      true,
      true,
      true,
    ]);
    const status = await kbin('etcd', 'status', '--json');
    expect(status.code).toBe(0);
    const list = (await etcdctl('member', 'list')).stdout;
    for (const { memberId, name, endpoint } of (JSON.parse(status.stdout) as EtcdHealth).members) {
      expect(list).toContain(
        `${memberId}, started, ${name}, https://${lab.host(name ?? '').address}:2380, ${endpoint}, false`,
      );
    }
    expect((await etcdctl('get', '', '--prefix', '--keys-only')).stdout).toBe('');
  });

  test('tables are for people', async () => {
    const status = await kbin('etcd', 'status');
    expect(status.stdout).toMatch(/^MEMBER +ENDPOINT +ROLE +VERSION .*\nnode1 +https:/);
    expect(status.stdout.match(/ leader /g)).toHaveLength(1);
    const health = await kbin('etcd', 'health');
    expect(health).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/cluster lab is healthy: \d+ passed\n$/),
    });
    const all = await kbin('verify');
    expect(all).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/cluster lab is healthy: \d+ passed\n$/),
    });
  });
});

describe('a cluster that is not what it should be', () => {
  test('a file was changed by hand', async () => {
    await node2.sh("echo '# hotfix' >>/etc/etcd/etcd.conf");
    const { code, findings } = await verify();
    expect(code).toBe(3);
    expect(findings).toEqual([
      expect.stringMatching(
        /^fail etcd-unchanged node2: differs from cluster.yaml: update \/etc\/etcd\/etcd.conf/,
      ),
    ]);
    // etcd itself is as well as it was.
    const health = await verify('--no-plan');
    await deployment.deploy();
    expect({ code: health.code, findings: health.findings }).toEqual({ code: 0, findings: [] });
    await wellAgain();
  });

  test('a member is down, by both halves', async () => {
    await node3.run('systemctl', 'stop', 'etcd.service');
    const { code, findings } = await verify();
    expect(code).toBe(3);
    expect(findings).toContain('fail member-reachable node3: refuses connections: nothing listens there');
    expect(findings.join('\n')).toMatch(
      /fail etcd-unchanged node3: differs from cluster.yaml: start etcd.service/,
    );
    const table = await kbin('etcd', 'status');
    expect(table).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/\nnode3 .* down .*\n(.*\n)+? {6}next: see whether/),
    });
    await node3.run('systemctl', 'start', 'etcd.service');
    await wellAgain();
  });

  test('a host is gone', async () => {
    await node3.disconnect();
    try {
      const { code, findings } = await verify();
      expect(code).toBe(3);
      expect(findings.join('\n')).toMatch(/fail host-reachable node3: /);
      expect(findings.join('\n')).toMatch(/fail member-reachable node3: (does not answer|cannot be reached)/);
    } finally {
      await node3.connect();
    }
    await wellAgain();
  });

  test('a member that cluster.yaml does not know, and one that it alone knows', async () => {
    await deployment.change({ hosts: ['node1', 'node2'] });
    const two = await verify('--no-plan');
    expect(two.code).toBe(3);
    expect(two.findings).toContain(
      `fail membership: node3 (https://${node3.address}:2380) is a member, but not in cluster.yaml`,
    );
    await deployment.change({ hosts: ['node1', 'node2', 'node3'] });
    await wellAgain();
  });
});

test('the client ports are closed to the operator: through SSH everything is seen all the same', async () => {
  const gateway = node2.address.replace(/\d+$/, '1');
  const close = `iptables -I INPUT -s ${gateway} -p tcp -m multiport --dports 2379,2380 -j DROP`;
  await Promise.all(lab.hosts.map((host) => host.sh(close)));
  try {
    const closed = ['node1', 'node2', 'node3'].map((name) =>
      expect.stringMatching(`^warn port-closed ${name}: `),
    );
    for (const [reach, expected] of [
      ['direct', closed],
      ['ssh', []],
    ]) {
      await deployment.change({ etcd: `reach: ${reach}` });
      const { code, report, findings } = await verify();
      expect({ code, findings }).toEqual({ code: 0, findings: expected });
      expect(report.counts.skip).toBe(0);
    }
    const status = await kbin('etcd', 'status');
    expect(status).toMatchObject({ code: 0, stderr: '' });
  } finally {
    await Promise.all(lab.hosts.map((host) => host.sh(close.replace('-I', '-D'))));
    await deployment.change({ etcd: '' });
  }
});

test('the client key is somewhere else: said, with what to do', async () => {
  const key = join(deployment.folder, 'pki', 'etcd-ca', 'etcd-healthcheck-client.key');
  await rename(key, `${key}.away`);
  try {
    const { code, stdout, stderr } = await kbin('verify');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/etcd-healthcheck-client/);
    expect(stderr).toMatch(/next: /);
  } finally {
    await rename(`${key}.away`, key);
  }
});

test('Ctrl-C in the middle: a clean end, and nothing of kbin in etcd', async () => {
  const frozen = await follower();
  await frozen.pause();
  try {
    const child = spawn(join(program, 'kbin'), ['etcd', 'health', '--timeout', '60'], {
      cwd: deployment.folder,
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill('SIGINT');
    expect(await ended).toBe(1);
    expect(stderr).toMatch(/^error: interrupted\n/m);
  } finally {
    await frozen.unpause();
  }
  expect((await etcdctl('get', '', '--prefix', '--keys-only')).stdout).toBe('');
});

async function follower(): Promise<LabHost> {
  const { stdout } = await kbin('etcd', 'status', '--json');
  const { members } = JSON.parse(stdout) as EtcdHealth;
  // etcdctl asks node1.
  const found = members.find(({ role, name }) => role === 'follower' && name !== 'node1');
  return lab.host(found?.name ?? '');
}
