import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { SUDO_PASSWORD } from '../lab/keys.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ssh } from '../lab/ssh.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startHosts({ names: ['alpha', 'beta'] });
});
afterAll(() => lab?.stop());

test('a host runs systemd, and nothing on it has failed', async () => {
  for (const host of lab.hosts) {
    expect(await host.exec(['systemctl', 'is-system-running', '--wait'])).toMatchObject({
      code: 0,
      stdout: 'running\n',
    });
    expect(await host.run('ps', '-p', '1', '-o', 'comm=')).toBe('systemd\n');
  }
});

test('one can log in as each user, and has the rights that the user should have', async () => {
  const alpha = lab.host('alpha');
  expect(await ssh(lab, alpha, 'id -un')).toMatchObject({ code: 0, stdout: 'root\n' });
  expect(await ssh(lab, alpha, 'sudo -n id -un', 'ops')).toMatchObject({ code: 0, stdout: 'root\n' });
  expect(await ssh(lab, alpha, 'sudo -n id -un', 'opspw')).toMatchObject({ code: 1 });
  expect(await ssh(lab, alpha, `echo ${SUDO_PASSWORD} | sudo -S -p '' id -un`, 'opspw')).toMatchObject({
    stdout: 'root\n',
  });
  expect(await ssh(lab, alpha, 'id -un', 'nosudo')).toMatchObject({ code: 0, stdout: 'nosudo\n' });
  expect(await ssh(lab, alpha, 'sudo -n id -un', 'nosudo')).toMatchObject({ code: 1 });
});

test('each host has host keys and a machine id of its own', async () => {
  const keys = (await readFile(lab.knownHosts, 'utf8'))
    .split('\n')
    .filter((line) => line.includes('ssh-ed25519'));
  expect(new Set(keys.map((line) => line.split(' ')[2])).size).toBe(2);
  const ids = await Promise.all(lab.hosts.map((host) => host.run('cat', '/etc/machine-id')));
  expect(new Set(ids).size).toBe(2);
});

test('hosts reach each other by name, and not when the cable is out', async () => {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')];
  const reach = () => alpha.exec(['nc', '-z', '-w', '3', 'beta', '22']);
  expect(await reach()).toMatchObject({ code: 0 });
  await beta.disconnect();
  expect(await reach()).toMatchObject({ code: 1 });
  await beta.connect();
  expect(await reach()).toMatchObject({ code: 0 });
  expect(await ssh(lab, beta, 'true')).toMatchObject({ code: 0 });
});

test('a power cut loses /tmp and running processes, not the disk, the address or the host key', async () => {
  const beta = lab.host('beta');
  await beta.sh('echo kept >/root/kept; echo lost >/tmp/lost');
  await beta.kill();
  expect(await ssh(lab, beta, 'true')).toMatchObject({ code: 255 });
  await beta.start();
  expect(await ssh(lab, beta, 'cat /root/kept; ls /tmp/lost')).toMatchObject({ code: 2, stdout: 'kept\n' });
  expect(await beta.run('journalctl', '--list-boots', '--no-pager')).toContain('-1');
});

test('a frozen host keeps its connections and answers again when it thaws', async () => {
  const alpha = lab.host('alpha');
  await alpha.pause();
  let answered = false;
  const answer = ssh(lab, alpha, 'echo awake').then((result) => {
    answered = true;
    return result;
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(answered).toBe(false);
  await alpha.unpause();
  expect(await answer).toMatchObject({ stdout: 'awake\n' });
});

test("a wrong clock is the host's alone, also behind sudo", async () => {
  const alpha = lab.host('alpha');
  const ahead = async (user: 'root' | 'ops', command: string) =>
    Math.round((Number((await ssh(lab, alpha, command, user)).stdout) - Date.now() / 1000) / 60);
  await alpha.setClock(7200);
  expect(await ahead('root', 'date +%s')).toBeCloseTo(120);
  expect(await ahead('ops', 'sudo date +%s')).toBeCloseTo(120);
  await alpha.setClock(-3600);
  expect(await ahead('root', 'date +%s')).toBeCloseTo(-60);
  await alpha.setClock(0);
  expect(await ahead('root', 'date +%s')).toBeCloseTo(0);
});

test('a full disk keeps what was there and refuses what is new', async () => {
  const alpha = lab.host('alpha');
  await alpha.sh('mkdir -p /srv/etcd; echo old >/srv/etcd/old');
  await alpha.fillDisk('/srv/etcd');
  expect(await ssh(lab, alpha, 'cat /srv/etcd/old; echo new >/srv/etcd/new')).toMatchObject({
    code: 1,
    stdout: 'old\n',
    stderr: expect.stringContaining('No space left on device'),
  });
  await alpha.freeDisk('/srv/etcd');
  expect(await ssh(lab, alpha, 'echo new >/srv/etcd/new')).toMatchObject({ code: 0 });

  await alpha.fillDisk('/srv/etcd', 512);
  expect(await ssh(lab, alpha, 'head -c 400K /dev/zero >/srv/etcd/fits')).toMatchObject({ code: 0 });
  expect(await ssh(lab, alpha, 'head -c 600K /dev/zero >/srv/etcd/more')).toMatchObject({ code: 1 });
  await alpha.freeDisk('/srv/etcd');
});

test('a port can be taken and given back', async () => {
  const alpha = lab.host('alpha');
  await alpha.occupyPort(2380);
  expect(await alpha.exec(['nc', '-z', '-w', '2', '127.0.0.1', '2380'])).toMatchObject({ code: 0 });
  await alpha.releasePort(2380);
  expect(await alpha.exec(['nc', '-z', '-w', '2', '127.0.0.1', '2380'])).toMatchObject({ code: 1 });
});

test('real etcd of both versions runs on a host', async () => {
  const alpha = lab.host('alpha');
  for (const [version, path] of Object.entries(inject('etcdTarballs'))) {
    await promisify(execFile)('docker', ['cp', path, `kbin-${lab.id}-alpha:/root/etcd.tar.gz`]);
    await alpha.sh('mkdir -p /root/etcd; tar -C /root/etcd --strip-components 1 -xzf /root/etcd.tar.gz');
    expect(await alpha.run('/root/etcd/etcd', '--version')).toContain(`etcd Version: ${version}\n`);
    expect(await alpha.run('/root/etcd/etcdctl', 'version')).toContain(`etcdctl version: ${version}\n`);
  }
});
