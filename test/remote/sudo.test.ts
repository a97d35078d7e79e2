import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { refusal, setting } from './connected.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * A `sudo` that speaks as the real one does: -k -n -S -p and --, its prompt, three attempts, its words. (The real one is
 * met in test/integration/remote.test.ts.) Logs each argv, and each line that it read from its input.
 */
function sudoFolder(behaviour: { password?: string; nopasswd?: boolean; says?: string; tries?: number }): {
  bin: string;
  log: string;
} {
  const bin = temporaryFolder();
  const log = join(bin, 'log');
  const { password, nopasswd, says, tries = 3 } = behaviour;
  const script = `#!/bin/bash
echo "argv: $*" >>${log}
prompt='[sudo] password: ' stdin= never=
while [ $# -gt 0 ]; do case $1 in
  -k) shift;; -n) never=1; shift;; -S) stdin=1; shift;; -p) prompt=$2; shift 2;; --) shift; break;; *) break;;
esac; done
${says ? `echo ${JSON.stringify(says)} >&2; exit 1` : ''}
${nopasswd ? 'exec "$@"' : ''}
[ -z "$never" ] || { echo "sudo: a password is required" >&2; exit 1; }
for try in $(seq ${tries}); do
  printf %s "$prompt" >&2
  line=
  while IFS= read -r -n 1 -d '' char; do [ "$char" = $'\\n' ] && break; line=$line$char; done
  echo "read: $line" >>${log}
  [ "$line" = "$(cat ${bin}/password)" ] && exec "$@"
  [ -n "$line" ] || { echo "sudo: no password was provided" >&2; exit 1; }
  echo "Sorry, try again." >&2
done
echo "sudo: ${tries} incorrect password attempts" >&2
exit 1
`;
  writeFileSync(join(bin, 'password'), password ?? '');
  writeFileSync(join(bin, 'sudo'), script);
  chmodSync(join(bin, 'sudo'), 0o755);
  // The tests run as root; the user that logs in does not.
  writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 1000\n', { mode: 0o755 });
  return { bin, log };
}

async function loginAs(behaviour: Parameters<typeof sudoFolder>[0] | 'none', user = 'ops') {
  const { bin, log } =
    behaviour === 'none' ? { bin: folderWithoutSudo(), log: '/dev/null' } : sudoFolder(behaviour);
  const path = behaviour === 'none' ? bin : `${bin}:${process.env.PATH}`;
  const made = await setting({ env: { PATH: path } });
  return { ...made, log, user };
}

/** Just enough programs for the question whether there is sudo. */
function folderWithoutSudo(): string {
  const bin = temporaryFolder();
  for (const name of ['sh', 'bash', 'timeout']) {
    writeFileSync(join(bin, name), `#!/bin/bash\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
  }
  writeFileSync(join(bin, 'id'), '#!/bin/bash\necho 1000\n', { mode: 0o755 });
  return bin;
}

describe('root', () => {
  test('root needs no sudo', async () => {
    const { connect, server } = await setting();
    await (await connect()).run(['true']);
    expect(server.commands).toEqual(['exec timeout -k 5 62 true']);
  });

  test('NOPASSWD is found out once', async () => {
    const { connect, log, server } = await loginAs({ nopasswd: true });
    const host = await connect({ user: 'ops' });
    expect(await host.script('cat; exit 5', [], { stdin: 'in' })).toEqual({
      code: 5,
      stdout: 'in',
      stderr: '',
    });
    await host.run(['true']);
    expect(server.commands.length).toBe(3);
    expect(readFileSync(log, 'utf8')).toBe(
      'argv: -k -n -- sh -c :\nargv: -n -- timeout -k 5 62 sh -c cat; exit 5 sh\nargv: -n -- timeout -k 5 62 true\n',
    );
  });

  test('asLoginUser goes round it', async () => {
    const { connect, server } = await loginAs('none');
    const host = await connect({ user: 'ops' });
    await host.run(['sh', '-c', ':'], { asLoginUser: true });
    expect(server.commands).toEqual(['exec timeout -k 5 62 sh -c :']);
  });

  test('no sudo on the host', async () => {
    const { connect } = await loginAs('none');
    const error = await refusal((await connect({ user: 'ops' })).run(['true']));
    expect([error.what, error.why]).toEqual([
      'ops cannot become root on node1',
      'sudo is not installed there',
    ]);
  });

  test.each([
    ['Sorry, user ops may not run sudo on node1.', 'sudo is not allowed for this user'],
    ['ops is not in the sudoers file.', 'sudo is not allowed for this user'],
    [
      'sudo: sorry, you must have a tty to run sudo',
      "the host's sudoers file asks for a terminal (requiretty)",
    ],
  ])('%s', async (says, why) => {
    const { connect } = await loginAs({ says });
    const error = await refusal((await connect({ user: 'ops' })).run(['true']));
    expect([error.what, error.why]).toEqual(['ops cannot become root on node1', why]);
  });
});

describe('a sudo password', () => {
  const password = "it's se$cret";

  test('reaches sudo alone: not argv, not the command, not its input', async () => {
    const { connect, log, home, server } = await loginAs({ password });
    const host = await connect({ user: 'ops' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: password } });
    const result = await host.script('cat; echo out; echo err >&2; exit 3', [], { stdin: 'the input\n' });
    expect(result).toEqual({ code: 3, stdout: 'the input\nout\n', stderr: 'err\n' });
    expect((await host.script('cat')).stdout).toBe('');
    expect(server.commands.join('\n')).not.toContain('cret');
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines.filter((line) => line.startsWith('argv')).join()).not.toContain('cret');
    expect(lines.filter((line) => line.startsWith('read'))).toEqual(Array(3).fill(`read: ${password}`));
  });

  test('a large input follows it byte for byte', async () => {
    const { connect, home } = await loginAs({ password });
    const host = await connect({ user: 'ops' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: password } });
    const bytes = Buffer.alloc(3_000_000, 'password\n');
    expect((await host.run(['wc', '-c'], { stdin: bytes })).stdout.trim()).toBe('3000000');
  });

  test('comes from a file, before the environment', async () => {
    const { connect, home } = await loginAs({ password });
    const sudoPasswordFile = join(home, 'sudo');
    writeFileSync(sudoPasswordFile, `${password}\n`);
    const env = { HOME: home, KBIN_SUDO_PASSWORD: 'another' };
    expect(
      (await (await connect({ user: 'ops', sudoPasswordFile }, { env })).run(['echo', 'x'])).stdout,
    ).toBe('x\n');
  });

  test('is asked for once for all hosts, and again when it was mistyped', async () => {
    const { connector } = await loginAs({ password });
    const questions: string[] = [];
    const askSecret = async (question: string) => {
      questions.push(question);
      return questions.length === 1 ? 'mistyped' : password;
    };
    const user = { user: 'ops' };
    const connect = connector({ a: user, b: user, c: user }, { askSecret });
    const results = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await connect(name)).run(['echo', name])),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'c\n']);
    expect(questions).toEqual(['sudo password of ops', 'That is not it. sudo password of ops']);
  });

  test('a host with a password of its own is asked for by name', async () => {
    const first = await loginAs({ password });
    const second = await loginAs({ password: 'other' });
    const questions: string[] = [];
    const askSecret = async (question: string) => {
      questions.push(question);
      return question.includes('on b') ? 'other' : password;
    };
    writeFileSync(first.knownHosts, first.server.knownHosts + second.server.knownHosts);
    const connect = second.connector(
      {
        a: {
          user: 'ops',
          port: first.server.port,
          knownHosts: first.knownHosts,
          identityFile: first.key.file,
        },
        b: { user: 'ops' },
      },
      { askSecret },
    );
    await (await connect('a')).run(['true']);
    await (await connect('b')).run(['true']);
    expect(questions).toEqual(['sudo password of ops', 'That is not it. sudo password of ops on b']);
  });

  test.each([1, 3])(
    'wrong (%s tries), it is told with where it came from; the command never runs',
    async (tries) => {
      const { connect, home, log } = await loginAs({ password, tries });
      const host = await connect({ user: 'ops' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: 'falsch' } });
      const error = await refusal(host.script('echo ran', [], { stdin: `${password}\n` }));
      expect(error.what).toBe('sudo on node1 refuses the password of ops');
      expect(error.why).toBe('the password came from $KBIN_SUDO_PASSWORD');
      expect(readFileSync(log, 'utf8')).not.toContain(password);
    },
  );

  test('there is none, and nobody to ask', async () => {
    const { connect } = await loginAs({ password });
    const error = await refusal((await connect({ user: 'ops' })).run(['true']));
    expect(error.why).toBe('sudo wants a password, and there is nobody to ask for it');
    expect(error.next).toContain('KBIN_SUDO_PASSWORD');
  });

  test('a held command stays behind it too', async () => {
    const { connect, home } = await loginAs({ password });
    const host = await connect({ user: 'ops' }, { env: { HOME: home, KBIN_SUDO_PASSWORD: password } });
    const held = await host.hold('echo locked');
    expect(held.greeting).toBe('locked');
    await held.release();
    expect(await held.ended).toEqual({ code: 0, stdout: 'locked\n', stderr: '' });
  });
});
