import net from 'node:net';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { LocalHost } from './local-host.ts';

const host = new LocalHost('here');

test('runs argv, keeps stdout, stderr and the exit code apart', async () => {
  expect(await host.script('cat; echo "$1" >&2; exit 3', ["it's"], { stdin: 'in' })).toEqual({
    code: 3,
    stdout: 'in',
    stderr: "it's\n",
  });
});

test('a signal is not an exit code', async () => {
  expect(await host.script('kill -TERM $$')).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('a stream is sent and counted', async () => {
  let last = 0;
  const stdin = Readable.from([Buffer.alloc(1000), Buffer.alloc(24)]);
  const { stdout } = await host.run(['wc', '-c'], { stdin, onProgress: (sent) => (last = sent) });
  expect([Number(stdout), last]).toEqual([1024, 1024]);
});

test('a deadline is a failure', async () => {
  await expect(host.run(['sleep', '30'], { timeout: 0.05 })).rejects.toThrow(/did not end within 0.05 s/);
});

test('a held command greets and stays until released', async () => {
  const held = await host.hold('echo "held by $1"', ['me']);
  expect(held.greeting).toBe('held by me');
  await held.release();
  expect(await held.ended).toMatchObject({ code: 0 });
});

test('a held command that gives up says so', async () => {
  const held = await host.hold('echo busy; exit 75');
  expect(held.greeting).toBe('busy');
  expect(await held.ended).toMatchObject({ code: 75 });
});

test('closing ends what is held', async () => {
  const other = new LocalHost();
  const held = await other.hold('echo held');
  await other.close();
  expect(await held.ended).toMatchObject({ code: 0 });
});

test('forwards to a port', async () => {
  const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = await host.forward('127.0.0.1', (server.address() as net.AddressInfo).port);
  const chunks = await socket.toArray();
  expect(Buffer.concat(chunks).toString()).toBe('hello');
  server.close();
});
