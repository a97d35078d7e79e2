import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refusal, setting } from './connected.ts';
import { keyPair, SshServer } from './ssh-server.ts';

async function listener(serve: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

describe('a host that cannot be reached says why', () => {
  test('nothing listens', async () => {
    const { connect, server } = await setting();
    server.stop();
    const error = await refusal(connect());
    expect(error).toEqual({
      what: `cannot connect to node1 (127.0.0.1:${server.port})`,
      why: 'the machine answers, but nothing listens on that port',
      next: 'start sshd there, or set ssh.port in cluster.yaml',
      step: 'connect',
    });
  });

  test('no such name', async () => {
    const { connect } = await setting();
    const error = await refusal(connect({ host: 'no-such-host.invalid' }));
    expect(error.what).toMatch(/^cannot connect to node1 \(no-such-host.invalid:/);
    expect(error.why).toMatch(/no such name|DNS did not answer/);
  });

  test('something that is no SSH server', async () => {
    const { connect } = await setting();
    const port = await listener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect((await refusal(connect({ port }))).what).toBe(`cannot connect to node1 (127.0.0.1:${port})`);
  });

  test('a server that hangs up at once', async () => {
    const { connect } = await setting();
    const port = await listener((socket) => socket.destroy());
    const error = await refusal(connect({ port }));
    expect(error.why).toBe('the server closed the connection before it said anything');
    expect(error.next).toContain('MaxStartups');
  });

  test('a server that never says a word: the time-out covers the handshake too', async () => {
    const { connect } = await setting();
    const port = await listener(() => {});
    const error = await refusal(connect({ port, connectTimeout: 0.3 }));
    expect(error.why).toBe('no answer within 0.3 s; the last step was to greet the SSH server');
  });
});

describe('jump hosts', () => {
  test('hosts behind one share its connection, which ends with the last of them', async () => {
    const { connector, server: bastion, home, knownHosts, key } = await setting();
    const inner = await SshServer.start({ authorised: [key] });
    writeFileSync(knownHosts, bastion.knownHosts + inner.knownHosts);
    const through = { port: inner.port, jumpHost: `jump@127.0.0.1:${bastion.port}` };
    const connect = connector({ a: through, b: through, c: through });
    const hosts = await Promise.all(['a', 'b', 'c'].map(connect));
    for (const host of hosts) expect((await host.run(['echo', host.name])).stdout).toBe(`${host.name}\n`);
    expect([bastion.connections, inner.connections]).toEqual([1, 3]);
    expect(new Set(bastion.offers.map(({ user }) => user))).toEqual(new Set(['jump']));
    await Promise.all(hosts.slice(1).map((host) => host.close()));
    expect((await hosts[0]?.run(['echo', 'still']))?.stdout).toBe('still\n');
    await hosts[0]?.close();
    await (await connect('a')).run(['true']);
    expect(bastion.connections).toBe(2);
    expect(home).toBeTruthy();
  });

  test('each hop of a chain has its key checked', async () => {
    const { connector, server: first, knownHosts, key } = await setting();
    const second = await SshServer.start({ authorised: [key] });
    const third = await SshServer.start({ authorised: [key] });
    const jumpHost = `127.0.0.1:${first.port},127.0.0.1:${second.port}`;
    const connect = connector({ node1: { port: third.port, jumpHost } });
    const all = [first, second, third];
    for (const stranger of all) {
      writeFileSync(
        knownHosts,
        all
          .filter((server) => server !== stranger)
          .map((server) => server.knownHosts)
          .join(''),
      );
      const name = stranger === third ? 'node1' : `127.0.0.1:${stranger.port}`;
      expect((await refusal(connect('node1'))).what).toContain(`the host key of ${name} is unknown`);
      expect(stranger.offers).toEqual([]);
      for (const server of all) server.offers.length = 0;
    }
    writeFileSync(knownHosts, all.map((server) => server.knownHosts).join(''));
    expect((await (await connect('node1')).run(['echo', 'in'])).stdout).toBe('in\n');
  });

  test('of ~/.ssh/config, by their aliases, and none where cluster.yaml says so', async () => {
    const { connect, server: bastion, home, knownHosts, key } = await setting();
    const inner = await SshServer.start({ authorised: [key] });
    writeFileSync(knownHosts, bastion.knownHosts + inner.knownHosts);
    mkdirSync(join(home, '.ssh'));
    writeFileSync(
      join(home, '.ssh', 'config'),
      `Host inner
  HostName 127.0.0.1
  Port ${inner.port}
  ProxyJump bastion
Host bastion
  HostName 127.0.0.1
  Port ${bastion.port}
  User jump
`,
    );
    const own = { host: 'inner', port: undefined } as never;
    await connect(own);
    expect(bastion.offers[0]?.user).toBe('jump');
    const before = bastion.connections;
    await connect({ ...(own as object), jumpHost: 'none' });
    expect(bastion.connections).toBe(before);
  });

  test('what the jump host cannot reach is told as its failure', async () => {
    const { connect, server: bastion, knownHosts, key } = await setting();
    const inner = await SshServer.start({ authorised: [key] });
    writeFileSync(knownHosts, bastion.knownHosts);
    inner.stop();
    const error = await refusal(connect({ port: inner.port, jumpHost: `127.0.0.1:${bastion.port}` }));
    expect(error.what).toBe(`127.0.0.1:${bastion.port} cannot connect to 127.0.0.1:${inner.port}`);
    await expect(connect({ jumpHost: 'a b:c' })).rejects.toThrow('"a b:c" is no jump host');
  });

  test('a key that is for the jump host alone does not open the host', async () => {
    const { connect, server: bastion, knownHosts } = await setting();
    const inner = await SshServer.start({ authorised: [keyPair()] });
    writeFileSync(knownHosts, bastion.knownHosts + inner.knownHosts);
    const error = await refusal(connect({ port: inner.port, jumpHost: `127.0.0.1:${bastion.port}` }));
    expect(error.what).toBe('node1 refused the login as root');
  });
});

test('a jump host that froze keeps nobody: neither who closes nor who connects', async () => {
  const { connector, connect, server: bastion, knownHosts, key } = await setting();
  const inner = await SshServer.start({ authorised: [key] });
  writeFileSync(knownHosts, bastion.knownHosts + inner.knownHosts);
  const through = { port: inner.port, jumpHost: `127.0.0.1:${bastion.port}`, keepAlive: 600 };
  const both = connector({ a: through, b: { ...through, connectTimeout: 0.5 } });
  const host = await both('a');
  bastion.freeze();
  const error = await refusal(both('b'));
  expect(error.why).toMatch(/^no answer within 0.5 s/);
  await host.close();
  await connect({ port: inner.port });
});

test('ProxyCommand of ~/.ssh/config', async () => {
  const { connect, server, home, knownHosts } = await setting();
  mkdirSync(join(home, '.ssh'));
  writeFileSync(knownHosts, server.knownHosts.replace('127.0.0.1', 'proxied'));
  const program = `const s=require('node:net').connect(+process.argv[1],'127.0.0.1');process.stdin.pipe(s).pipe(process.stdout)`;
  writeFileSync(
    join(home, '.ssh', 'config'),
    `Host proxied\n  ProxyCommand "${process.execPath}" -e "${program}" %p\n`,
  );
  const host = await connect({ host: 'proxied' });
  expect((await host.run(['echo', 'through'])).stdout).toBe('through\n');
});
