import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { SshSettings } from '../../src/cluster/cluster.ts';
import { type ConnectOptions, createConnect } from '../../src/remote/connect.ts';
import type { Connect, Host } from '../../src/remote/host.ts';
import { type HostFile, stagedPath, stageMany, upload } from '../../src/remote/upload.ts';
import type { LabHost } from '../lab/host.ts';
import { SUDO_PASSWORD } from '../lab/keys.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { clusterOf } from '../remote/cluster-of.ts';
import { refusal } from '../remote/connected.ts';

let lab: Lab;
let home: string;
let alpha: LabHost;
let beta: LabHost;

beforeAll(async () => {
  lab = await startHosts({ names: ['alpha', 'beta'] });
  [alpha, beta] = [lab.host('alpha'), lab.host('beta')];
});
afterAll(() => lab?.stop());

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kbin-home-'));
  copyFileSync(lab.knownHosts, join(home, 'known_hosts'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Connects to the lab's hosts by their addresses, with settings over ones that work. */
function connector(ssh: Partial<SshSettings> = {}, options: Partial<ConnectOptions> = {}): Connect {
  const settings = (host: LabHost) => ({
    host: host.address,
    user: 'root',
    identityFile: lab.sshKey,
    knownHosts: join(home, 'known_hosts'),
    ...ssh,
  });
  const cluster = clusterOf({ alpha: settings(alpha), beta: settings(beta) });
  const connect = createConnect(cluster, {
    acceptNewHostKeys: false,
    env: { HOME: home },
    warn: () => {},
    systemConfig: '/nonexistent/ssh_config',
    ...options,
  });
  return async (name) => {
    const host = await connect(name);
    onTestFinished(() => host.close());
    return host;
  };
}

const connect = (ssh: Partial<SshSettings> = {}, options: Partial<ConnectOptions> = {}): Promise<Host> =>
  connector(ssh, options)('alpha');

function fileOf(path: string, content: Buffer, more: Partial<HostFile> = {}): HostFile {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path, content, sha256, mode: 0o644, owner: 'root', group: 'root', ...more };
}

/** Content that is streamed from a file on this machine. */
function largeFile(path: string, megabytes: number, more: Partial<HostFile> = {}): HostFile {
  const bytes = randomBytes(megabytes * 1024 * 1024);
  const file = join(home, `large-${randomBytes(4).toString('hex')}`);
  writeFileSync(file, bytes);
  return fileOf(path, bytes, { content: { file, size: bytes.length }, ...more });
}

const id = async (host: Host) => (await host.run(['id', '-un'])).stdout.trim();

describe('users', () => {
  test('root, and a user whom sudo asks for nothing', async () => {
    expect(await id(await connect())).toBe('root');
    const ops = await connect({ user: 'ops' });
    expect(await id(ops)).toBe('root');
    expect((await ops.run(['id', '-un'], { asLoginUser: true })).stdout).toBe('ops\n');
  });

  test('a user whom sudo asks for a password: from the environment, a file or a person', async () => {
    const sudoPasswordFile = join(home, 'sudo-password');
    writeFileSync(sudoPasswordFile, `${SUDO_PASSWORD}\n`);
    const answers = ['mistyped', SUDO_PASSWORD];
    const ways: Promise<Host>[] = [
      connect({ user: 'opspw' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: SUDO_PASSWORD } }),
      connect({ user: 'opspw', sudoPasswordFile }),
      connect({ user: 'opspw' }, { askSecret: async () => answers.shift() ?? '' }),
    ];
    for (const host of await Promise.all(ways)) {
      expect(await id(host)).toBe('root');
      const result = await host.script('cat; echo err >&2; exit 3', [], { stdin: 'what the script reads\n' });
      expect(result).toEqual({ code: 3, stdout: 'what the script reads\n', stderr: 'err\n' });
    }
    expect(answers).toEqual([]);
  });

  test('the sudo password is in no argv and in no script', async () => {
    const host = await connect({ user: 'opspw' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: SUDO_PASSWORD } });
    const seen = await host.script(
      'for f in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr "\\0" " " <$f; done 2>/dev/null; cat',
    );
    expect(seen.stdout).toContain('kbin-started-');
    expect(seen.stdout).not.toContain(SUDO_PASSWORD);
    const journal = await alpha.run('journalctl', '--no-pager', '-o', 'cat');
    expect(journal).not.toContain(SUDO_PASSWORD);
  });

  test('a wrong sudo password, and a user without sudo', async () => {
    const wrong = await connect({ user: 'opspw' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: 'falsch' } });
    expect((await refusal(wrong.run(['true']))).what).toBe('sudo on alpha refuses the password of opspw');
    const none = await refusal((await connect({ user: 'nosudo' })).run(['true']));
    expect(none.what).toBe('nosudo cannot become root on alpha');
    await alpha.sh('echo "nosudo:its-password" | chpasswd');
    const env = { HOME: home, KBIN_SUDO_PASSWORD: 'its-password' };
    const refused = await refusal((await connect({ user: 'nosudo' }, { env })).run(['true']));
    expect(refused).toMatchObject({
      what: 'nosudo cannot become root on alpha',
      why: 'sudo is not allowed for this user',
    });
  });

  test('a host without sudo', async () => {
    await alpha.sh('mv /usr/bin/sudo /usr/bin/sudo.away');
    onTestFinished(() => alpha.run('mv', '/usr/bin/sudo.away', '/usr/bin/sudo').then(() => {}));
    const error = await refusal((await connect({ user: 'ops' })).run(['true']));
    expect(error.why).toBe('sudo is not installed there');
  });
});

describe('keys', () => {
  /** A key of its own kind that alpha's root accepts. */
  async function authorised(...flags: string[]): Promise<string> {
    const file = join(home, `key-${randomBytes(4).toString('hex')}`);
    execFileSync('ssh-keygen', ['-q', '-C', 'test', ...flags, '-f', file]);
    await alpha.run(
      'sh',
      '-c',
      'printf "%s\\n" "$1" >>/root/.ssh/authorized_keys',
      'sh',
      readFileSync(`${file}.pub`, 'utf8').trim(),
    );
    return file;
  }

  test('with a passphrase, of every type and format that ssh-keygen writes', async () => {
    for (const flags of [
      ['-t', 'ed25519'],
      ['-t', 'ecdsa', '-b', '384'],
      ['-t', 'rsa', '-b', '2048'],
      ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'],
      ['-t', 'ecdsa', '-m', 'PEM'],
    ]) {
      const identityFile = await authorised(...flags, '-N', 'pass phrase');
      const env = { HOME: home, KBIN_SSH_PASSPHRASE: 'pass phrase' };
      expect(await id(await connect({ identityFile }, { env }))).toBe('root');
    }
  });

  test('from a real agent', async () => {
    const key = await authorised('-t', 'rsa', '-b', '2048', '-N', '');
    const socket = join(home, 'agent.sock');
    const agent = /SSH_AGENT_PID=(\d+)/.exec(execFileSync('ssh-agent', ['-s', '-a', socket]).toString());
    onTestFinished(() => void process.kill(Number(agent?.[1])));
    execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
    const ssh = { identityFile: undefined, agent: true } as unknown as Partial<SshSettings>;
    expect(await id(await connect(ssh, { env: { HOME: home, SSH_AUTH_SOCK: socket } }))).toBe('root');
  });

  test('that the host does not know', async () => {
    const key = join(home, 'stranger');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const error = await refusal(connect({ identityFile: key }));
    expect(error.what).toBe('alpha refused the login as root');
    expect(error.why).toBe(`it accepted none of these keys: ${key}`);
  });
});

describe('host keys', () => {
  const knownHosts = () => join(home, 'known_hosts');

  test('hashed, changed, unknown and accepted', async () => {
    execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts()], { stdio: 'pipe' });
    await connect();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(home, 'other')]);
    writeFileSync(knownHosts(), `${alpha.address} ${readFileSync(join(home, 'other.pub'), 'utf8')}`);
    for (const acceptNewHostKeys of [false, true]) {
      expect((await refusal(connect({}, { acceptNewHostKeys }))).what).toMatch(
        /^THE HOST KEY OF alpha HAS CHANGED/,
      );
    }
    rmSync(knownHosts());
    const unknown = await refusal(connect());
    const printed = await alpha.run('ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub');
    expect(unknown.what).toContain(printed.split(' ')[1]);
    await connect({}, { acceptNewHostKeys: true });
    await connect();
  });

  test('a host that was made anew is not let through', async () => {
    await connect();
    await alpha.sh('mkdir /root/keys && cp -p /etc/ssh/ssh_host_* /root/keys/');
    onTestFinished(async () => {
      await alpha.sh('mv -f /root/keys/* /etc/ssh/ && rmdir /root/keys && systemctl restart ssh');
    });
    await alpha.sh('rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh');
    expect((await refusal(connect({}, { acceptNewHostKeys: true }))).what).toMatch(/HAS CHANGED/);
  });
});

describe('ways', () => {
  test('another port', async () => {
    await alpha.sh('mkdir -p /run/sshd; /usr/sbin/sshd -p 2222 -o PidFile=/run/sshd-2222.pid');
    onTestFinished(() => alpha.sh('kill $(cat /run/sshd-2222.pid)').then(() => {}));
    expect(await id(await connect({ port: 2222 }))).toBe('root');
  });

  test('through a jump host to one that only it can reach, also as ~/.ssh/config has it', async () => {
    const rule = ['INPUT', '-p', 'tcp', '--dport', '22', '!', '-s', beta.address, '-j', 'DROP'];
    await alpha.run('iptables', '-I', ...rule);
    onTestFinished(() => alpha.run('iptables', '-D', ...rule).then(() => {}));
    const direct = await refusal(connect({ connectTimeout: 2 }));
    expect(direct).toMatchObject({
      what: `cannot connect to alpha (${alpha.address}:22)`,
      why: 'no answer within 2 s',
    });
    const host = await connect({ jumpHost: `nosudo@${beta.address}` });
    expect((await host.script('echo "$SSH_CLIENT"')).stdout.split(' ')[0]).toBe(beta.address);
    mkdirSync(join(home, '.ssh'));
    writeFileSync(
      join(home, '.ssh', 'config'),
      `Host inner\n  HostName ${alpha.address}\n  ProxyJump hop\nHost hop\n  HostName ${beta.address}\n  User ops\n`,
    );
    expect(await id(await connect({ host: 'inner' }))).toBe('root');
  });

  test('a port on the host, forwarded', async () => {
    await alpha.occupyPort(7777);
    onTestFinished(() => alpha.releasePort(7777));
    const stream = await (await connect()).forward('127.0.0.1', 7777);
    stream.end('round and back');
    const back: Buffer[] = [];
    for await (const chunk of stream) back.push(chunk as Buffer);
    expect(Buffer.concat(back).toString()).toBe('round and back');
    const closed = await refusal((await connect()).forward('127.0.0.1', 7778));
    expect(closed.what).toBe('alpha cannot connect to 127.0.0.1:7778');
  });
});

describe('faults', () => {
  test('a host that does not exist, and one with no sshd', async () => {
    const gateway = alpha.address.replace(/\d+$/, '1');
    const refused = await refusal(connect({ host: gateway, port: 1 }));
    expect(refused.why).toBe('the machine answers, but nothing listens on that port');
    const absent = await refusal(connect({ host: alpha.address.replace(/\d+$/, '250'), connectTimeout: 10 }));
    expect(absent.why).toMatch(/no answer within|cannot be reached|nothing answers/);
  });

  test('a frozen host: a command on its way ends by keep-alive, a new connection by its time-out', async () => {
    const host = await connect({ keepAlive: 1 });
    const running = refusal(host.run(['sleep', '600']));
    await alpha.pause();
    onTestFinished(() => alpha.unpause());
    expect(await running).toMatchObject({
      why: 'the host answered none of three keep-alive probes, 1 s apart',
    });
    const late = await refusal(connect({ connectTimeout: 2 }));
    expect(late).toMatchObject({
      what: `cannot connect to alpha (${alpha.address}:22)`,
      why: 'no answer within 2 s; the last step was to greet the SSH server',
    });
  });

  test('a command that takes too long is ended on the host', async () => {
    const host = await connect();
    const error = await refusal(host.script('echo at work; exec sleep 4242', [], { timeout: 1 }));
    expect(error.what).toBe('a script on alpha did not end within 1 s');
    const gone = () =>
      until('the command is gone', async (saw) => {
        const { code, stdout } = await alpha.exec(['pgrep', '-f', 'sleep 4242']);
        return code === 1 || saw(stdout);
      });
    await gone();
    expect(await id(host)).toBe('root');
    // Also what runs as root by sudo, and when the link is lost.
    const ops = await connect({ user: 'ops' });
    const running = refusal(ops.script('exec sleep 4242', [], { timeout: 3 }));
    await until(
      'it runs',
      async () => (await alpha.exec(['pgrep', '-f', 'sleep 4242'])).code === 0 || undefined,
    );
    await ops.close();
    await running;
    await gone();
  });

  test('the link breaks in the middle of an upload: an error, and no temporary file', async () => {
    const host = await connect();
    const file = largeFile('/var/tmp/cut', 64);
    let broken = false;
    const error = await refusal(
      upload(host, file, (sent) => {
        if (broken || sent < 8 * 1024 * 1024) return;
        broken = true;
        execFileSync(
          'docker',
          ['exec', `kbin-${lab.id}-alpha`, 'pkill', '-KILL', '-f', '^sshd-session: root'],
          { stdio: 'ignore' },
        );
      }),
    );
    expect(error.what).toBe(`the connection to alpha (${alpha.address}:22) was lost`);
    await until('nothing is left behind', async (saw) => {
      const { stdout } = await alpha.exec(['sh', '-c', 'ls -A /var/tmp | grep -c cut']);
      return stdout.trim() === '0' || saw(stdout);
    });
  });

  test('a full disk: the real reason, the old file as it was, and nothing left behind', async () => {
    await alpha.sh('mkdir -p /srv/bin && echo before >/srv/bin/etcd');
    await alpha.fillDisk('/srv/bin', 2048);
    onTestFinished(() => alpha.freeDisk('/srv/bin'));
    const error = await refusal(upload(await connect(), largeFile('/srv/bin/etcd', 20)));
    expect(error).toMatchObject({ what: 'cannot upload /srv/bin/etcd to alpha', why: 'the disk is full' });
    expect(await alpha.sh('cat /srv/bin/etcd; ls -A /srv/bin')).toBe('before\n.ballast\netcd\n');
  });

  test('a file system that is read-only', async () => {
    await alpha.sh('mkdir -p /srv/ro && mount -t tmpfs -o ro none /srv/ro');
    onTestFinished(() => alpha.run('umount', '/srv/ro').then(() => {}));
    const error = await refusal(upload(await connect(), fileOf('/srv/ro/etcd.conf', Buffer.from('x'))));
    expect(error.why).toBe('the file system is mounted read-only, often after a disk error');
  });
});

describe('uploads', () => {
  test('a running program is replaced, with mode and owner', async () => {
    await alpha.sh('cp /usr/bin/sleep /usr/local/bin/runs');
    const host = await connect({ user: 'ops' });
    const running = host.run(['/usr/local/bin/runs', '600']);
    running.catch(() => {});
    const file = largeFile('/usr/local/bin/runs', 3, { mode: 0o755, owner: 'ops', group: 'nogroup' });
    await upload(host, file);
    expect(await alpha.sh('sha256sum </usr/local/bin/runs; stat -c "%a %U %G" /usr/local/bin/runs')).toBe(
      `${file.sha256}  -\n755 ops nogroup\n`,
    );
    await host.run(['pkill', '-x', 'runs']);
  });

  test('behind a sudo password too: many small files in one go, and what is staged is not sent twice', async () => {
    await alpha.sh('mkdir -p /etc/kbin-test');
    const env = { HOME: home, KBIN_SUDO_PASSWORD: SUDO_PASSWORD };
    const host = await connect({ user: 'opspw' }, { env });
    const files = Array.from({ length: 25 }, (_, i) =>
      fileOf(`/etc/kbin-test/f${i}`, randomBytes(i * 997), { mode: 0o600 }),
    );
    await stageMany(host, files);
    const sums = files.map((file) => `${file.sha256}  ${stagedPath(file)}\n`).join('');
    expect(await alpha.run('sha256sum', ...files.map(stagedPath))).toBe(sums);
    const progress: number[] = [];
    await stageMany(host, files, (sent) => progress.push(sent));
    expect(progress).toEqual([]);
  });

  test('secrets are never readable by others on their way', async () => {
    await alpha.sh('mkdir -p /etc/kbin-secret && chmod 755 /etc/kbin-secret');
    const host = await connect();
    const watch = host.script(
      'i=0; while [ $i -lt 300 ]; do find /etc/kbin-secret -type f -perm /077; sleep 0.01; i=$((i + 1)); done',
    );
    const file = largeFile('/etc/kbin-secret/key', 16, { mode: 0o600 });
    await upload(host, file);
    expect((await watch).stdout).toBe('');
  });
});

describe('hold', () => {
  const script =
    'exec 9>/run/kbin-test.lock; flock -n 9 || { echo "held by another"; exit 75; }; echo "locked by $1"';

  test.each(['root', 'ops', 'opspw'])(
    'as %s: one at a time, and free again once the connection is gone',
    async (user) => {
      const env = { HOME: home, KBIN_SUDO_PASSWORD: SUDO_PASSWORD };
      const [first, second] = [await connect({ user }, { env }), await connect({ user }, { env })];
      const held = await first.hold(script, ['me']);
      expect(held.greeting).toBe('locked by me');
      const refused = await second.hold(script, ['you']);
      expect([refused.greeting, (await refused.ended).code]).toEqual(['held by another', 75]);
      await first.close();
      await held.ended;
      await until('the lock is free', async (saw) => {
        const next = await second.hold(script, ['you']);
        const free = next.greeting === 'locked by you';
        await next.release();
        return free || saw(next.greeting);
      });
    },
  );

  test('kill -9 of the one who holds it frees it', async () => {
    const program = `
      import { createConnect } from '${new URL('../../src/remote/connect.ts', import.meta.url).pathname}';
      const ssh = JSON.parse(process.argv[1]);
      const connect = createConnect({ hosts: [{ name: 'alpha', ssh }] }, { acceptNewHostKeys: false, env: {}, warn() {} });
      const held = await (await connect('alpha')).hold(process.argv[2], ['a child']);
      console.log(held.greeting);`;
    const ssh = {
      host: alpha.address,
      user: 'root',
      identityFile: lab.sshKey,
      knownHosts: lab.knownHosts,
      agent: false,
      connectTimeout: 30,
      commandTimeout: 60,
      keepAlive: 5,
    };
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      program,
      JSON.stringify(ssh),
      script,
    ]);
    const [greeting] = await child.stdout.take(1).toArray();
    expect(String(greeting)).toBe('locked by a child\n');
    const host = await connect();
    expect((await host.hold(script, ['me'])).greeting).toBe('held by another');
    child.kill('SIGKILL');
    await until('the lock is free', async (saw) => {
      const next = await host.hold(script, ['me']);
      const { greeting } = next;
      await next.release();
      return greeting === 'locked by me' || saw(greeting);
    });
  });
});

describe('many at once', () => {
  test('forty commands over one connection, beside a held one', async () => {
    const host = await connect();
    await host.hold('echo held');
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => host.script('sleep 0.05; echo "$1"', [String(i)])),
    );
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  test('an sshd that allows fewer sessions is lived with', async () => {
    const reload = 'systemctl reload ssh; until nc -z 127.0.0.1 22; do sleep 0.1; done';
    await alpha.sh(`echo "MaxSessions 2" >/etc/ssh/sshd_config.d/few.conf; ${reload}`);
    onTestFinished(() => alpha.sh(`rm /etc/ssh/sshd_config.d/few.conf; ${reload}`).then(() => {}));
    const host = await connect();
    const results = await Promise.all(Array.from({ length: 9 }, () => host.script('sleep 0.05; echo x')));
    expect(results.map(({ code }) => code)).toEqual(Array(9).fill(0));
  });
});

test('150 MB to each of two hosts at once take little memory', async () => {
  const file = join(home, 'binary');
  const bytes = randomBytes(150 * 1024 * 1024);
  writeFileSync(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  // A process of its own: what the test run itself takes is not kbin's.
  const program = `
    import { readFileSync } from 'node:fs';
    import { createConnect } from '${new URL('../../src/remote/connect.ts', import.meta.url).pathname}';
    import { upload } from '${new URL('../../src/remote/upload.ts', import.meta.url).pathname}';
    const { cluster, file } = JSON.parse(process.argv[1]);
    const connect = createConnect(cluster, { acceptNewHostKeys: false, env: {}, warn() {} });
    await Promise.all(cluster.hosts.map(async ({ name }) => {
      const host = await connect(name);
      await upload(host, file);
      await host.close();
    }));
    // Not resourceUsage().maxRSS: the kernel carries into it what the parent took when it started this process.
    console.log(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);`;
  const common = { user: 'root', identityFile: lab.sshKey, knownHosts: lab.knownHosts };
  const cluster = clusterOf({
    alpha: { host: alpha.address, ...common },
    beta: { host: beta.address, ...common },
  });
  const target = {
    path: '/var/tmp/memory',
    content: { file, size: bytes.length },
    sha256,
    mode: 0o755,
    owner: 'root',
    group: 'root',
  };
  const output = execFileSync(process.execPath, [
    // As scripts/launcher.sh starts the program.
    '--max-semi-space-size=2',
    '--input-type=module',
    '-e',
    program,
    JSON.stringify({ cluster, file: target }),
  ]);
  expect(Number(output) / 1024).toBeLessThan(200);
  for (const host of lab.hosts) expect(await host.sh('sha256sum </var/tmp/memory')).toBe(`${sha256}  -\n`);
});

// Something to forward to must not be mistaken for a listener of this machine.
test('forward() goes out from the host, not from here', async () => {
  const server = net.createServer((socket) => socket.end('here')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  expect((await refusal((await connect()).forward('127.0.0.1', port))).what).toBe(
    `alpha cannot connect to 127.0.0.1:${port}`,
  );
});
