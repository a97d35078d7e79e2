import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { KbinError } from '../../src/errors.ts';
import { causeOf } from '../../src/health/causes.ts';
import { dialEither } from '../../src/health/dial-either.ts';
import type { Host } from '../../src/remote/host.ts';
import { LocalHost } from '../remote/local-host.ts';

/** A host on which `port` is another one, as if a firewall kept this machine from it. */
class Behind extends LocalHost {
  readonly #port: number;
  forwarded = 0;

  constructor(port: number) {
    super('n1');
    this.#port = port;
  }

  override forward(address: string): ReturnType<LocalHost['forward']> {
    this.forwarded += 1;
    return super.forward(address, this.#port);
  }
}

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** Nobody listens there. */
async function closedPort(): Promise<number> {
  const { server, port } = await listening();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const forbidden = new KbinError('n1 cannot connect to 127.0.0.1:1', { why: 'its sshd allows no forwarding' });

test('straight where that works, and SSH is not asked', async () => {
  const { port } = await listening();
  const either = dialEither(() => Promise.reject(new Error('asked')));
  const stream = await either.dial('127.0.0.1', port, 2000);
  expect(String((await once(stream, 'data'))[0])).toBe('hello');
  expect(either.detour('127.0.0.1', port)).toBeUndefined();
});

test('through SSH where connections are refused, until they are not any more', async () => {
  const { port } = await listening();
  const closed = await closedPort();
  const host = new Behind(port);
  const either = dialEither(async () => host);
  const stream = await either.dial('127.0.0.1', closed, 2000);
  expect(String((await once(stream, 'data'))[0])).toBe('hello');
  expect(either.detour('127.0.0.1', closed)).toBe('connections are refused');
  expect(either.detour('127.0.0.1', closed + 1)).toBeUndefined();
  const opened = createServer((socket) => socket.end('straight')).listen(closed, '127.0.0.1');
  onTestFinished(() => void opened.close());
  await once(opened, 'listening');
  const straight = await either.dial('127.0.0.1', closed, 2000);
  expect(String((await once(straight, 'data'))[0])).toBe('straight');
  expect(either.detour('127.0.0.1', closed)).toBeUndefined();
  expect(host.forwarded).toBe(1);
});

test('what is refused on the host itself is refused', async () => {
  const closed = await closedPort();
  const refused = new KbinError('n1 cannot connect', { why: 'Connection refused' });
  const host = { forward: () => Promise.reject(refused) } as unknown as Host;
  const failed = dialEither(async () => host).dial('127.0.0.1', closed, 2000);
  const error = await failed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(causeOf(error).code).toBe('refused');
});

test.each([
  [
    'forbids forwarding',
    () => Promise.resolve({ forward: () => Promise.reject(forbidden) } as unknown as Host),
  ],
  ['never answers', () => new Promise<Host>(() => {})],
])('where SSH %s nothing is known of the member', async (_what, host) => {
  const closed = await closedPort();
  const failed = dialEither(host).dial('127.0.0.1', closed, 300);
  const error = await failed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(causeOf(error)).toMatchObject({
    code: 'out-of-reach',
    message: expect.stringMatching(/^cannot be reached from this machine \(.*ECONNREFUSED.*\), nor through/),
    next: expect.stringContaining('AllowTcpForwarding'),
  });
});
