import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refusal, setting } from './connected.ts';
import { keyPair } from './ssh-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** No key file in cluster.yaml. */
const noFile = { identityFile: undefined } as unknown as { identityFile: string };

/** A real ssh-agent with these keys; ends with the test. */
async function agentWith(...files: string[]): Promise<string> {
  const socket = join(temporaryFolder(), 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  onTestFinished(() => void agent.kill());
  for (let tries = 0; tries < 200; tries++) {
    const listed = spawnQuietly(['ssh-add', '-l'], socket);
    if (listed !== 2) break;
    await sleep(20);
  }
  for (const file of files) spawnQuietly(['ssh-add', '-q', file], socket);
  return socket;
}

function spawnQuietly([program = '', ...args]: string[], socket: string): number {
  try {
    execFileSync(program, args, { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    return 0;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

describe('key files', () => {
  test.each([
    ['ed25519', undefined],
    ['ecdsa', undefined],
    ['rsa', undefined],
    ['ecdsa', 'PEM'],
    ['rsa', 'PEM'],
    ['ecdsa', 'PKCS8'],
    ['rsa', 'PKCS8'],
  ] as const)('%s %s, plain and with a passphrase', async (type, format) => {
    const passphrase = 'pass phrase';
    for (const options of [{}, { passphrase }]) {
      const key = keyPair(type, { ...options, ...(format && { format }) });
      const { connect, home } = await setting({ authorised: [key] });
      rmSync(`${key.file}.pub`);
      const env = { HOME: home, KBIN_SSH_PASSPHRASE: passphrase };
      const host = await connect({}, { env });
      expect((await host.run(['echo', 'in'])).stdout).toBe('in\n');
    }
  });

  test('an Ed25519 key in PKCS#8, as openssl writes it', async () => {
    const key = keyPair();
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key.file]);
    chmodSync(key.file, 0o600);
    const { connect } = await setting();
    // A key of its own, which the server does not know: it must be read and offered, no more.
    const error = await refusal(connect({ identityFile: key.file }));
    expect(error.what).toBe('node1 refused the login as root');
    expect(error.why).toContain(key.file);
  });

  test('the passphrase comes from a file, and is asked for once for all hosts', async () => {
    const key = keyPair('ed25519', { passphrase: 'geheim' });
    const { connector, connect, home } = await setting({ authorised: [key] });
    const passphraseFile = join(home, 'passphrase');
    writeFileSync(passphraseFile, 'geheim\nnot this line\n');
    await connect({ passphraseFile });
    const questions: string[] = [];
    const askSecret = async (question: string) => {
      questions.push(question);
      await sleep(50);
      return questions.length === 1 ? 'mistyped' : 'geheim';
    };
    const all = connector({ a: {}, b: {}, c: {} }, { askSecret });
    await Promise.all(['a', 'b', 'c'].map(all));
    expect(questions).toEqual([`Passphrase of ${key.file}`, `That is not it. Passphrase of ${key.file}`]);
  });

  test('the connect time-out stands still while somebody types', async () => {
    const key = keyPair('ed25519', { passphrase: 'geheim' });
    const { connect } = await setting({ authorised: [key] });
    const askSecret = () => sleep(1500, 'geheim');
    await connect({ connectTimeout: 1 }, { askSecret });
  });

  test('nobody is asked for the passphrase of a key that the server does not want', async () => {
    const mine = keyPair('ed25519', { passphrase: 'geheim' });
    const { connect } = await setting();
    const askSecret = async () => {
      throw new Error('asked');
    };
    const error = await refusal(connect({ identityFile: mine.file }, { askSecret }));
    expect(error.what).toBe('node1 refused the login as root');
  });

  test('a wrong passphrase, none at all, a missing file and one that is no key each say so', async () => {
    const key = keyPair('ed25519', { passphrase: 'geheim' });
    const { connect, home } = await setting({ authorised: [key] });
    const wrong = await refusal(connect({}, { env: { HOME: home, KBIN_SSH_PASSPHRASE: 'falsch' } }));
    expect(wrong.what).toBe(`the passphrase from $KBIN_SSH_PASSPHRASE does not open the key ${key.file}`);
    const none = await refusal(connect());
    expect(none.what).toBe(`the key ${key.file} needs a passphrase, and there is nobody to ask for it`);
    expect(none.next).toContain('ssh-add');
    const typed = await refusal(connect({}, { askSecret: async () => 'falsch' }));
    expect(typed.what).toContain('the passphrase from the terminal');
    const missing = await refusal(connect({ identityFile: join(home, 'none') }));
    expect(missing.what).toBe(`there is no key file ${home}/none`);
    writeFileSync(join(home, 'text'), '-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n');
    const text = await refusal(connect({ identityFile: join(home, 'text') }));
    expect(text.what).toBe(`${home}/text is no private key that kbin can use`);
  });

  test('a key that others may read is used, with a warning, once', async () => {
    const { connector, key, warnings } = await setting();
    chmodSync(key.file, 0o644);
    const connect = connector({ a: {}, b: {} });
    await connect('a');
    await connect('b');
    expect(warnings).toEqual([
      `others than you may read the private key ${key.file} (mode 0644): chmod 600 ${key.file}`,
    ]);
  });

  test('without one in cluster.yaml: those of ~/.ssh/config, else the default files', async () => {
    const { connect, home, key } = await setting();
    mkdirSync(join(home, '.ssh'));
    copyFileSync(key.file, join(home, '.ssh', 'id_ed25519'));
    await connect(noFile);
    rmSync(join(home, '.ssh', 'id_ed25519'));
    copyFileSync(key.file, join(home, 'cluster key'));
    const other = keyPair('ecdsa');
    const config = `Host 127.*\n  IdentityFile ${other.file}\n  IdentityFile "%d/cluster key"\n`;
    writeFileSync(join(home, '.ssh', 'config'), config);
    await connect(noFile);
  });
});

describe('the agent', () => {
  test('its keys are offered, and serve where the file is locked', async () => {
    const locked = keyPair('ed25519', { passphrase: 'geheim' });
    const unlocked = keyPair('rsa');
    const socket = await agentWith(unlocked.file);
    const { connect, home } = await setting({ authorised: [unlocked, locked] });
    const env = { HOME: home, SSH_AUTH_SOCK: socket };
    await connect({ ...noFile, agent: true }, { env });
    // Only the public half is here: its key is in the agent.
    await connect({ identityFile: `${unlocked.file}.pub`, agent: true }, { env });
    const off = await refusal(connect({ ...noFile, agent: false }, { env }));
    expect(off.why).toBe('kbin has no key to offer');
  });

  test('the key that was named goes first, so that a full agent does not use up the attempts', async () => {
    const others = [keyPair(), keyPair(), keyPair()];
    const socket = await agentWith(...others.map(({ file }) => file));
    const { connect, home, server, key } = await setting();
    await connect({ agent: true }, { env: { HOME: home, SSH_AUTH_SOCK: socket } });
    expect(server.offers[0]?.blob.equals(key.blob)).toBe(true);
    expect(server.offers.every(({ blob }) => blob.equals(key.blob))).toBe(true);
  });

  test('IdentitiesOnly and IdentityAgent of ~/.ssh/config', async () => {
    const [right, wrong] = [keyPair(), keyPair()];
    const socket = await agentWith(wrong.file, right.file);
    const { connect, home, server } = await setting({ authorised: [right] });
    mkdirSync(join(home, '.ssh'));
    const config = `IdentityAgent ${socket}\nIdentitiesOnly yes\nIdentityFile ${right.file}.pub\n`;
    writeFileSync(join(home, '.ssh', 'config'), config);
    await connect({ ...noFile, agent: true });
    expect(server.offers.some(({ blob }) => blob.equals(wrong.blob))).toBe(false);
  });

  test('one that does not answer is no obstacle, and is told when nothing else works', async () => {
    const { connect, home } = await setting();
    const env = { HOME: home, SSH_AUTH_SOCK: join(home, 'no-agent') };
    await connect({ agent: true }, { env });
    const error = await refusal(connect({ ...noFile, agent: true }, { env }));
    expect(error.why).toBe(`kbin has no key to offer; the SSH agent at ${home}/no-agent does not answer`);
  });
});

describe('a login that is refused', () => {
  test('says as whom, which keys were tried and where to put them', async () => {
    const { connect, server } = await setting();
    const mine = keyPair();
    const error = await refusal(connect({ identityFile: mine.file, user: 'ops' }));
    expect(error.what).toBe('node1 refused the login as ops');
    expect(error.why).toBe(`it accepted none of these keys: ${mine.file}`);
    expect(error.next).toContain('~ops/.ssh/authorized_keys');
    expect(server.offers).toEqual([{ user: 'ops', blob: mine.blob }]);
  });

  test('a second factor is named', async () => {
    const { connect } = await setting({ secondFactor: true });
    expect((await refusal(connect())).why).toBe(
      'it lets nobody in by a key alone: it wants keyboard-interactive',
    );
  });
});
