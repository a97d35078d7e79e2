import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { refusal, setting } from './connected.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('run', () => {
  test('arguments arrive as they are; stdout, stderr and code come back apart', async () => {
    const host = await (await setting()).connect();
    const odd = ["it's", '$HOME', '', 'two\nlines', '*', 'naïve'];
    expect(await host.run(['printf', '%s|', ...odd])).toEqual({
      code: 0,
      stdout: `${odd.join('|')}|`,
      stderr: '',
    });
    expect(await host.script('cat; echo "$2" >&2; exit 7', ['a', 'b c'], { stdin: 'input' })).toEqual({
      code: 7,
      stdout: 'input',
      stderr: 'b c\n',
    });
  });

  test('a signal is no exit code', async () => {
    const host = await (await setting()).connect();
    expect(await host.script('kill -9 $$')).toEqual({
      code: null,
      signal: 'SIGKILL',
      stdout: '',
      stderr: '',
    });
  });

  test('bytes and streams are sent whole, with back-pressure and progress', async () => {
    const host = await (await setting()).connect();
    const bytes = randomBytes(9_000_000);
    const file = join(temporaryFolder(), 'out');
    const seen: number[] = [];
    const options = { stdin: bytes, onProgress: (sent: number) => seen.push(sent) };
    // The reader starts late: what is not read must wait here.
    const { code } = await host.script('sleep 0.3; cat >"$1"', [file], options);
    expect(code).toBe(0);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(seen.at(-1)).toBe(bytes.length);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    const stream = Readable.from([Buffer.from('a'), 'b', Buffer.from('c')]);
    expect((await host.run(['cat'], { stdin: stream })).stdout).toBe('abc');
  });

  test('a command that ends without reading its input is a result, not a hang', async () => {
    const host = await (await setting()).connect();
    const stdin = Readable.from(
      (function* () {
        for (let i = 0; i < 1000; i++) yield randomBytes(65_536);
      })(),
    );
    expect(await host.script('exit 4', [], { stdin })).toMatchObject({ code: 4 });
    expect(stdin.destroyed).toBe(true);
  });

  test('a source that fails ends the command and is the error', async () => {
    const host = await (await setting()).connect();
    const stdin = new Readable({ read() {} });
    stdin.push('first');
    setTimeout(() => stdin.destroy(new Error('disk on fire')), 50);
    await expect(host.run(['cat'], { stdin })).rejects.toThrow('disk on fire');
  });

  test('large output is kept, a runaway is stopped', async () => {
    const host = await (await setting()).connect();
    expect((await host.script('head -c 5000000 /dev/zero | tr "\\0" x')).stdout.length).toBe(5_000_000);
    const error = await refusal(host.run(['yes'], { label: 'say yes' }));
    expect(error.what).toBe('say yes on node1 printed more than 32 MiB');
  });

  test('a command time-out closes the channel, names the command and the last it said', async () => {
    const host = await (await setting()).connect();
    const error = await refusal(host.script('echo waiting for quorum >&2; sleep 60', [], { timeout: 0.3 }));
    expect(error.what).toBe('a script on node1 did not end within 0.3 s');
    expect(error).toMatchObject({ why: 'see below for the last it said' });
    // The connection is as good as before.
    expect((await host.run(['echo', 'on'])).stdout).toBe('on\n');
  });

  test('no exit status is no success', async () => {
    const host = await (await setting()).connect();
    const error = await refusal(host.script('exit 99', [], { label: 'restart etcd.service' }));
    expect(error.what).toBe('node1 did not tell how restart etcd.service ended');
  });
});

describe('a link that is lost', () => {
  test('fails every command on its way, and those that follow', async () => {
    const { connect, server } = await setting();
    const host = await connect();
    const started = join(temporaryFolder(), 'started');
    const running = [
      host.script('touch "$1"; sleep 60', [started], { label: 'restart etcd.service' }),
      host.run(['sleep', '60']),
    ];
    const errors = Promise.all(running.map(refusal));
    while (!existsSync(started)) await sleep(10);
    server.cut();
    const [first, second] = await errors;
    expect(first?.what).toBe(`the connection to node1 (127.0.0.1:${server.port}) was lost`);
    expect(first?.step).toBe('restart etcd.service');
    expect(first?.next).toContain('run the same command again');
    expect(second?.what).toBe(first?.what);
    expect((await refusal(host.run(['true']))).what).toBe(first?.what);
    expect((await refusal(host.forward('127.0.0.1', 1))).what).toBe(first?.what);
  });

  test('in the middle of an upload: an error, not a hang', async () => {
    const { connect, server } = await setting();
    const host = await connect();
    const stdin = Readable.from(
      (function* () {
        for (;;) yield randomBytes(65_536);
      })(),
    );
    let cut = false;
    const onProgress = (sent: number) => {
      if (sent > 3_000_000 && !cut) server.cut();
      cut ||= sent > 3_000_000;
    };
    const error = await refusal(
      host.script('cat >/dev/null', [], { stdin, onProgress, label: 'upload etcd' }),
    );
    expect(error.what).toMatch(/^the connection to node1 .* was lost$/);
    expect(stdin.destroyed).toBe(true);
  });

  test('a host that freezes is noticed by keep-alive', async () => {
    const { connect, server } = await setting();
    const host = await connect({ keepAlive: 0.1 });
    const running = refusal(host.run(['sleep', '60']));
    await sleep(50);
    server.freeze();
    const error = await running;
    expect(error.what).toMatch(/was lost$/);
    expect(error.why).toBe('the host answered none of three keep-alive probes, 0.1 s apart');
  });

  test('closing is not losing', async () => {
    const host = await (await setting()).connect();
    await host.close();
    await host.close();
    expect((await refusal(host.run(['true']))).what).toBe('the connection to node1 is closed');
  });
});

describe('hold', () => {
  test('greets, stays with what it opened, and ends on release', async () => {
    const host = await (await setting()).connect();
    const lock = join(temporaryFolder(), 'lock');
    const script = 'exec 9>"$1"; flock -n 9 || { echo "held by another"; exit 75; }; echo locked';
    const held = await host.hold(script, [lock]);
    expect(held.greeting).toBe('locked');
    const second = await host.hold(script, [lock]);
    expect(second.greeting).toBe('held by another');
    expect(await second.ended).toMatchObject({ code: 75 });
    await held.release();
    expect(await held.ended).toMatchObject({ code: 0 });
    expect((await host.hold(script, [lock])).greeting).toBe('locked');
  });

  test('ends with the connection that holds it', async () => {
    const { connect, server } = await setting();
    const host = await connect();
    const lock = join(temporaryFolder(), 'lock');
    const script = 'exec 9>"$1"; flock -w "$2" 9 || { echo "held by another"; exit 75; }; echo locked';
    const held = await host.hold(script, [lock, '0']);
    server.cut();
    expect(await held.ended).toMatchObject({ code: null });
    const next = await (await connect()).hold(script, [lock, '30']);
    expect(next.greeting).toBe('locked');
  });

  test('that ends without a word has an empty greeting; one that says nothing is given up', async () => {
    const host = await (await setting()).connect({ commandTimeout: 0.3 });
    const silent = await host.hold('echo why >&2; exit 3');
    expect([silent.greeting, (await silent.ended).code, (await silent.ended).stderr]).toEqual([
      '',
      3,
      'why\n',
    ]);
    expect((await refusal(host.hold('sleep 5'))).what).toMatch(/said nothing within 0.3 s on node1/);
  });
});

describe('sessions', () => {
  test('more commands at once than sshd allows wait for their turn', async () => {
    const { connect, server } = await setting({ maxSessions: 10 });
    const host = await connect();
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) => host.script(`sleep 0.02; echo ${i}`)),
    );
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, i) => i));
    // kbin keeps to 8; a session that it has seen the end of may still count at the server.
    expect(server.mostSessions).toBeLessThanOrEqual(10);
    expect(server.mostSessions).toBeGreaterThan(4);
  });

  test('a server that allows fewer is learned', async () => {
    const { connect, server } = await setting({ maxSessions: 2 });
    const host = await connect();
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) => host.script(`sleep 0.02; echo ${i}`)),
    );
    expect(results.map(({ code }) => code)).toEqual(Array(12).fill(0));
    expect(server.mostSessions).toBe(2);
  });

  test('a server whose only session is held says so instead of waiting for it', async () => {
    const { connect } = await setting({ maxSessions: 1 });
    const host = await connect();
    await host.hold('echo locked');
    const error = await refusal(host.run(['true']));
    expect([error.what, error.next]).toEqual([
      'node1 runs no commands for root',
      expect.stringContaining('MaxSessions'),
    ]);
  });

  test('a server that allows none says so', async () => {
    const { connect } = await setting({ maxSessions: 0 });
    const error = await refusal((await connect()).run(['true']));
    expect(error.what).toBe('node1 runs no commands for root');
    expect(error.next).toContain('MaxSessions');
  });
});

describe('forward', () => {
  test('a stream to a port as the host sees it, both ways, to its end', async () => {
    const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => echo.once('listening', resolve));
    const host = await (await setting()).connect();
    const stream = await host.forward('127.0.0.1', (echo.address() as net.AddressInfo).port);
    const bytes = randomBytes(1_000_000);
    stream.end(bytes);
    const back: Buffer[] = [];
    for await (const chunk of stream) back.push(chunk as Buffer);
    expect(Buffer.concat(back).equals(bytes)).toBe(true);
    echo.close();
  });

  test('a closed port, and a server that forwards nothing, are told apart', async () => {
    const closed = await refusal((await (await setting()).connect()).forward('127.0.0.1', 1));
    expect(closed.what).toBe('node1 cannot connect to 127.0.0.1:1');
    const { connect } = await setting({ allowForwarding: false });
    const error = await refusal((await connect()).forward('127.0.0.1', 1));
    expect(error.what).toBe('node1 cannot connect to 127.0.0.1:1');
  });
});
