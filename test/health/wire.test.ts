import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { dialDirect, dialThrough } from '../../src/health/dial.ts';
import { etcdHealth } from '../../src/health/etcd.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { openRelay } from '../../src/health/relay.ts';
import { type EtcdCredentials, parseEndpoint } from '../../src/health/target.ts';
import { daysLeft, probeAnonymous, probeWire } from '../../src/health/wire.ts';
import { LocalHost } from '../remote/local-host.ts';
import { findings } from './findings.ts';
import { type LocalEtcd, startEtcd } from './local-etcd.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let etcd: LocalEtcd;
let credentials: EtcdCredentials;
beforeAll(async () => {
  etcd = await startEtcd({ size: 1 });
  credentials = await etcd.credentials();
});
afterAll(() => etcd?.[Symbol.asyncDispose]());

const quick = { deadlineMs: 3000 };

/** A listener that does what `serve` says with each connection. */
async function listener(serve: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, server };
}

describe('what a listener serves', () => {
  test('on the client port: the certificate as openssl reads it, and that ours is accepted', async () => {
    const served = await probeWire(parseEndpoint(etcd.member(0).endpoint), credentials, quick);
    const { stdout } = await promisify(execFile)(
      'openssl',
      'x509 -noout -fingerprint -sha256 -serial -startdate -enddate -in'
        .split(' ')
        .concat(etcd.authority.path('server.crt')),
    );
    const of = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1];
    expect(served).toMatchObject({
      accepted: true,
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
    });
    expect(served.refusal).toBeUndefined();
    expect(served.chain[0]).toEqual({
      subject: 'CN=server',
      issuer: 'CN=etcd-ca',
      fingerprint: of('sha256 Fingerprint'),
      serial: of('serial'),
      notBefore: new Date(of('notBefore') ?? ''),
      notAfter: new Date(of('notAfter') ?? ''),
      sans: ['IP Address:127.0.0.1'],
    });
    expect(JSON.parse(served.body ?? '')).toEqual({ etcdserver: '3.5.16', etcdcluster: '3.5.0' });
  });

  test('on the peer port: another certificate', async () => {
    const served = await probeWire(parseEndpoint(etcd.member(0).peerUrl), credentials, quick);
    expect(served.chain[0]?.subject).toBe('CN=peer');
  });

  test('days are counted whole, and are negative afterwards', async () => {
    const { chain } = await probeWire(parseEndpoint(etcd.member(0).endpoint), credentials, quick);
    const [leaf] = chain;
    if (leaf === undefined) throw new Error('no leaf');
    const end = leaf.notAfter.getTime();
    const days = [0, 1, 86_399_999, 86_400_000].map((before) => daysLeft(leaf, new Date(end - before)));
    expect(days).toEqual([0, 0, 0, 1]);
    expect(daysLeft(leaf, new Date(end + 1))).toBe(-1);
  });

  test('to a client without a certificate: nothing', async () => {
    expect(await probeAnonymous(parseEndpoint(etcd.member(0).endpoint), quick)).toBe('refused');
    expect(await probeAnonymous(parseEndpoint('https://127.0.0.1:1'), quick)).toBe('unknown');
  });
});

describe('listeners that are no etcd', () => {
  test('silent: the deadline is kept, and the process has nothing left open', async () => {
    const { port, server } = await listener((socket) => void socket.resume());
    const address = parseEndpoint(`https://127.0.0.1:${port}`);
    await expect(probeWire(address, credentials, { deadlineMs: 300 })).rejects.toThrow(
      /no TLS handshake after/,
    );
    const target = { name: 'silent', endpoint: `https://127.0.0.1:${port}` };
    const health = await etcdHealth([target], credentials, { deadlineMs: 300 });
    expect(findings(health)[0]).toBe(
      'fail member-reachable silent: does not answer (no answer after 300 ms)',
    );
    // What was given up on is closed, not left to the kernel.
    await expect
      .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
      .toBe(0);
  });

  test.each<[string, (socket: Socket) => void]>([
    ['closes at once', (socket) => socket.destroy()],
    ['says something else', (socket) => socket.end('220 mail.example.org ESMTP\r\n')],
    ['never stops talking', (socket) => void socket.write('x'.repeat(1 << 20))],
  ])('one that %s is a finding', async (_what, serve) => {
    const { port } = await listener(serve);
    for (const scheme of ['https', 'http']) {
      const target = { name: 'other', endpoint: `${scheme}://127.0.0.1:${port}` };
      const { checks } = await etcdHealth([target], credentials, { deadlineMs: 500 });
      expect(checks[0]).toMatchObject({ id: 'member-reachable', status: 'fail' });
    }
  });
});

describe('through a host', () => {
  test('everything is seen as it is straight, with TLS from end to end', async () => {
    const hosts: LocalHost[] = [];
    const dial = dialThrough(async () => {
      const host = new LocalHost('n1');
      hosts.push(host);
      return host;
    });
    const targets = etcd.targets.map((target) => ({ ...target, dial }));
    const health = await etcdHealth(targets, credentials);
    expect(findings(health)).toEqual([]);
    expect(health.members[0]).toMatchObject({ reachable: true, certificateDays: 364, quota: 2 ** 31 });
    expect(hosts.length).toBeGreaterThan(0);
    const stranger = await etcd.authority.issue('stranger', { sans: 'IP:10.1.1.1' });
    expect(stranger.cert).toBeTruthy();
  });

  test('a host that cannot be reached is named, not the port', async () => {
    const { KbinError } = await import('../../src/errors.ts');
    const dial = dialThrough(() =>
      Promise.reject(new KbinError('node1 refuses the key', { next: 'give another key' })),
    );
    const targets = etcd.targets.map((target) => ({ ...target, dial }));
    const { checks } = await etcdHealth(targets, credentials, { deadlineMs: 1000 });
    expect(checks[0]).toEqual({
      id: 'member-reachable',
      target: 'n1',
      status: 'fail',
      message: 'cannot be reached through SSH: node1 refuses the key',
      next: 'give another key',
    });
  });

  test('a host that never answers keeps nobody waiting', async () => {
    const dial = dialThrough(() => new Promise(() => {}));
    const targets = etcd.targets.map((target) => ({ ...target, dial }));
    const { checks } = await etcdHealth(targets, credentials, { deadlineMs: 300 });
    expect(checks[0]?.message).toMatch(
      /^does not answer \(no SSH forwarding to 127.0.0.1 port \d+ after 270 ms\)$/,
    );
  });
});

describe('the relay', () => {
  test('is open to its owner alone, and leaves nothing behind', async () => {
    const echo = await listener((socket) => socket.pipe(socket));
    const relay = await openRelay(dialDirect, parseEndpoint(`https://127.0.0.1:${echo.port}`), 1000);
    expect((await stat(dirname(relay.path))).mode & 0o777).toBe(0o700);
    const client = connect(relay.path);
    client.write('hello');
    expect(await new Promise((resolve) => client.once('data', (data) => resolve(String(data))))).toBe(
      'hello',
    );
    const closed = new Promise((resolve) => client.once('close', resolve));
    await relay.close();
    await closed;
    await expect(stat(dirname(relay.path))).rejects.toThrow('ENOENT');
  });

  test('of clients that were closed is gone', async () => {
    const before = await folders();
    const [target] = etcd.targets;
    if (target === undefined) throw new Error('one target');
    const client = await openMember(target, credentials);
    await client.status();
    await client.close();
    await expect(openMember(target, { ...credentials, ca: 'no PEM', key: 'none' })).rejects.toThrow(
      /cannot be used/,
    );
    expect((await folders()).filter((name) => !before.includes(name))).toEqual([]);
  });

  async function folders(): Promise<string[]> {
    const names = await readdir(tmpdir());
    return names.filter((name) => /^kbin-[A-Za-z0-9]{6}$/.test(name));
  }
});

describe('endpoints', () => {
  test.each([
    ['https://10.0.0.1:2379', { scheme: 'https', host: '10.0.0.1', port: 2379 }],
    ['10.0.0.1', { scheme: 'https', host: '10.0.0.1', port: 2379 }],
    ['https://[fd00::1]:443/', { scheme: 'https', host: 'fd00::1', port: 443 }],
    ['http://etcd.example.org:80', { scheme: 'http', host: 'etcd.example.org', port: 80 }],
  ])('%s', (text, address) => {
    expect(parseEndpoint(text)).toEqual(address);
  });
});
