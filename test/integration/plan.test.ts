/** `kbin plan` against real hosts: before anything is there, after an installation by hand as `kbin render` describes it, and after things went wrong. */
import { execFile } from 'node:child_process';
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Change, Plan } from '../../src/diff/changes.ts';
import { programFolder } from '../cli/transcript.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { sshOptions } from '../lab/ssh.ts';
import { until } from '../lab/until.ts';
import { Deployment } from './deployment.ts';

let lab: Lab;
let deployment: Deployment;
let program = '';
beforeAll(async () => {
  [lab, program] = await Promise.all([startHosts({ count: 3 }), programFolder()]);
  deployment = await Deployment.create(lab);
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

function execute(file: string, argv: readonly string[], input?: string): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd: deployment.folder, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(file, argv, options, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        stdout,
        stderr,
      });
    });
    child.stdin?.end(input);
  });
}

const kbin = (...argv: string[]) => execute(`${program}/kbin`, argv);

async function planOf(
  ...flags: string[]
): Promise<Plan & { complete: boolean; empty: boolean; code: number }> {
  const { code, stdout, stderr } = await kbin('plan', '--json', ...flags);
  if (stdout === '') throw new Error(stderr);
  expect(`${stdout}${stderr}`).not.toContain('PRIVATE KEY');
  return { ...(JSON.parse(stdout) as Plan & { complete: boolean; empty: boolean }), code };
}

const changesOf = (plan: Plan, host: string) =>
  plan.hosts
    .filter((entry) => entry.host === host)
    .flatMap(({ changes }) => changes)
    .map(({ kind, action, target }: Change) => `${kind} ${action} ${target}`);

test('on bare hosts everything is to be made, and nothing stands in the way', async () => {
  const plan = await planOf('--exit-code');
  expect([plan.code, plan.complete, plan.empty, plan.findings]).toEqual([3, true, false, []]);
  for (const { name } of lab.hosts) {
    expect(changesOf(plan, name)).toEqual([
      'account create etcd',
      'directory create /etc/etcd',
      'directory create /var/lib/etcd',
      'file create /usr/local/bin/etcd',
      'file create /usr/local/bin/etcdctl',
      'file create /usr/local/bin/etcdutl',
      'file create /etc/etcd/etcd.conf',
      'file create /etc/systemd/system/etcd.service',
      'bundle create /etc/etcd/pki',
      'unit reload etcd.service',
      'unit enable etcd.service',
      'unit start etcd.service',
    ]);
  }
  expect((await kbin('plan')).code).toBe(0);
});

describe('installed by hand from kbin render', () => {
  beforeAll(async () => {
    expect((await kbin('render', '-o', 'out')).code).toBe(0);
    await Promise.all(lab.hosts.map(bring));
    for (const title of ['Account', 'Folders', 'Programs', 'Files', 'Certificates', 'Start']) {
      await Promise.all(lab.hosts.map((host) => followGuide(host, title)));
    }
    await Promise.all(
      lab.hosts.map((host) =>
        until(`etcd on ${host.name} is active`, async (saw) => {
          const { stdout } = await host.exec(['systemctl', 'is-active', 'etcd.service']);
          return (
            stdout === 'active\n' ||
            saw(stdout + (await host.sh('journalctl -u etcd -n 5 --no-pager -o cat')))
          );
        }),
      ),
    );
  });

  test('the guide’s own look finds it healthy', async () => {
    for (const host of lab.hosts) {
      const said = await followGuide(host, 'Look');
      expect([...said.matchAll(/is healthy/g)].length, said).toBe(3);
    }
  });

  test('nothing is left to do', async () => {
    const { code, stdout, stderr } = await kbin('plan', '--exit-code');
    expect(stdout, stderr).toBe('nothing to do: 3 hosts as cluster.yaml wants\n');
    expect(code).toBe(0);
  });

  test('what somebody changed is seen, each thing with its reason, and the diff is shown', async () => {
    const [one, two, three] = lab.hosts as [LabHost, LabHost, LabHost];
    await one.sh('chmod 0644 /etc/etcd/pki/server.key; echo "# mine" >>/etc/etcd/pki/peer.crt');
    await one.sh('sed -i s/LEVEL=.info/LEVEL=\\"warn/ /etc/etcd/etcd.conf');
    await two.sh(
      'systemctl disable etcd 2>/dev/null; cp -a /usr/local/bin/etcd /root/; cp -a /root/etcd /usr/local/bin/new && mv /usr/local/bin/new /usr/local/bin/etcd',
    );
    await three.sh(
      'mkdir /etc/systemd/system/etcd.service.d; printf "[Service]\\nNice=5\\n" >/etc/systemd/system/etcd.service.d/mine.conf; systemctl daemon-reload',
    );
    await three.sh('chown root /var/lib/etcd/member');

    const plan = await planOf('--exit-code');
    expect([plan.code, plan.complete, plan.empty]).toEqual([3, true, false]);
    expect(plan.hosts.map(({ host, disruption }) => [host, disruption])).toEqual([
      ['node1', 'restart'],
      ['node2', 'restart'],
      ['node3', 'none'],
    ]);
    const reasons = (host: string) =>
      plan.hosts
        .find((entry) => entry.host === host)
        ?.changes.map(({ action, reason }) => `${action}: ${reason}`);
    expect(reasons('node1')).toEqual([
      'update: content differs',
      'update: server.key: mode 0644, wanted 0600, peer.crt: content differs',
      'restart: etcd.conf changes',
    ]);
    expect(reasons('node2')).toEqual([
      'enable: is disabled, would not start with the host',
      'restart: runs a binary that was replaced since',
    ]);
    expect(reasons('node3')).toEqual(['update: holds entries that user etcd does not own']);
    expect(plan.findings).toMatchObject([{ severity: 'warning', code: 'drop-in', host: 'node3' }]);

    const { stdout } = await kbin('plan', '--diff');
    expect(stdout).toContain('# node1\n--- /etc/etcd/etcd.conf\n+++ /etc/etcd/etcd.conf\n');
    expect(stdout).toContain('\n-ETCD_LOG_LEVEL="warn"\n+ETCD_LOG_LEVEL="info"\n');
    expect(stdout).toContain('6 changes on 3 hosts, restart etcd on 2 hosts\n');
  });

  test('a deploy puts it right, and then nothing is left to do', async () => {
    await deployment.deploy();
    const plan = await planOf('--exit-code');
    expect([plan.code, plan.empty]).toEqual([0, true]);
  });

  test('without the private keys it still compares, and says that etcd was not asked', async () => {
    const keys = (await readdir(join(deployment.folder, 'pki'), { recursive: true })).filter((file) =>
      file.endsWith('.key'),
    );
    expect(keys.length).toBeGreaterThan(5);
    const at = (file: string) => join(deployment.folder, 'pki', file);
    await Promise.all(keys.map((key) => rename(at(key), at(`${key}.away`))));
    try {
      const plan = await planOf('--exit-code');
      expect([plan.code, plan.empty, plan.complete]).toEqual([0, true, true]);
      expect(plan.findings.map(({ code, severity }) => [severity, code])).toEqual([
        ['warning', 'drop-in'],
        ['warning', 'etcd-not-asked'],
      ]);
      const { stdout } = await kbin('plan', '--exit-code');
      expect(stdout).toContain(
        '\nnothing that was compared differs on 3 hosts; etcd itself was not asked how it is\n',
      );
    } finally {
      await Promise.all(keys.map((key) => rename(at(`${key}.away`), at(key))));
    }
  });

  test('without the binaries everything else is compared, and the plan is incomplete', async () => {
    await deployment.change({ source: './not-there.tar.gz' });
    const plan = await planOf('--exit-code');
    expect([plan.code, plan.empty, plan.complete]).toEqual([1, false, false]);
    expect(plan.findings.map(({ code }) => code)).toEqual(['drop-in', 'binaries-unknown']);
    const { stdout, code } = await kbin('plan');
    expect(stdout).toContain(
      '\nincomplete: the programs on the hosts were not compared; nothing that was compared differs on 3 hosts\n',
    );
    expect(code).toBe(1);
    await deployment.change({ source: inject('etcdTarballs')['3.5.16'] });
  });

  test('a host that does not answer makes it incomplete', async () => {
    await lab.host('node2').pause();
    try {
      const { code, stdout } = await kbin('plan', '--exit-code');
      expect(stdout).toMatch(/^incomplete node2 could not be looked at: /m);
      expect(stdout).toContain(
        'incomplete: 1 host did not answer; nothing to do: 2 hosts as cluster.yaml wants\n',
      );
      expect(code).toBe(1);
    } finally {
      await lab.host('node2').unpause();
    }
  });
});

/** As a person would: copy the folder over, with the programs of the release in it. */
async function bring(host: LabHost): Promise<void> {
  const folder = join(deployment.folder, 'out', host.name);
  const ssh = ['ssh', ...sshOptions(lab), `root@${host.address}`];
  const quoted = ssh.map((word) => `'${word}'`).join(' ');
  const tarball = inject('etcdTarballs')['3.5.16'];
  const { code, stderr } = await execute('sh', [
    '-euc',
    `tar -C '${folder}' -cf - . | ${quoted} 'mkdir /root/by-hand && tar -C /root/by-hand -xf -'
     ${quoted} 'tar -C /root/by-hand --strip-components=1 -xzf -' <'${tarball}'`,
  ]);
  if (code !== 0) throw new Error(stderr);
}

/** Runs the commands of one step of INSTALL.md, as they stand there. */
async function followGuide(host: LabHost, title: string): Promise<string> {
  const guide = await readFile(join(deployment.folder, 'out', host.name, 'INSTALL.md'), 'utf8');
  const step = guide.split(/^### \d+\. /m).find((part) => part.startsWith(`${title}\n`));
  const commands = /^```sh\n(.*?)^```$/ms.exec(step ?? '')?.[1];
  if (commands === undefined) throw new Error(`INSTALL.md has no step ${title}`);
  return host.sh(`cd /root/by-hand\n{ ${commands} } 2>&1`);
}
