import { createServer as createPlain, type Server } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { pemText } from '../../src/ca/pem.ts';
import { servedChain } from '../../src/health/served-chain.ts';
import { type Made, make } from '../ca/authorities.ts';

const root = make({ name: 'root', authority: {} });
const issuing = make({ name: 'issuing', by: root, authority: {} });
const leaf = make({ name: 'm1', by: issuing, sans: ['localhost'] });
const client = make({ name: 'client', by: root });

const pem = (...made: readonly Made[]) => made.map(({ der }) => pemText('CERTIFICATE', der)).join('');
const keyOf = ({ privateKey }: Made) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function listening(server: Server): Promise<{ scheme: 'https'; host: string; port: number }> {
  servers.push(server);
  server.on('connection', (socket) => socket.on('error', () => {}));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      resolve({ scheme: 'https', host: '127.0.0.1', port: address.port });
    });
  });
}

function serve(chain: readonly Made[], options: TlsOptions = {}) {
  const [own = leaf] = chain;
  const server = createServer({ cert: pem(...chain), key: keyOf(own), ...options }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  return listening(server);
}

const quick = { deadlineMs: 2000 };
const ders = (...made: readonly Made[]) => ({
  state: 'served',
  chain: made.map(({ der }) => der),
  protocol: expect.stringMatching(/^TLSv1\.[23]$/),
  alpn: undefined,
});

test('just what is sent, in its order: neither more nor less', async () => {
  expect(await servedChain(await serve([leaf]), quick)).toEqual(ders(leaf));
  expect(await servedChain(await serve([leaf, issuing]), quick)).toEqual(ders(leaf, issuing));
  expect(await servedChain(await serve([leaf, issuing, root]), quick)).toEqual(ders(leaf, issuing, root));
});

test('whatever is wrong with it', async () => {
  const expired = make({ name: 'm1', from: -9, to: -2 });
  expect(await servedChain(await serve([expired]), quick)).toEqual(ders(expired));
});

test('from those who want a certificate, too: TLS 1.2 ends without one', async () => {
  const strict = { requestCert: true, rejectUnauthorized: true, ca: pem(root) };
  const address = await serve([leaf], { ...strict, maxVersion: 'TLSv1.2' });
  const own = { cert: pem(client), key: keyOf(client) };
  expect(await servedChain(address, { ...quick, client: own })).toEqual(ders(leaf));
  expect(await servedChain(await serve([leaf], strict), quick)).toEqual(ders(leaf));
});

test('a port that nobody listens on is told from one that says nothing, or something else', async () => {
  const address = await serve([leaf]);
  await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
  expect(await servedChain(address, quick)).toMatchObject({ state: 'closed' });
  const silent = await listening(createPlain());
  expect(await servedChain(silent, { deadlineMs: 200 })).toMatchObject({
    state: 'unseen',
    why: { code: 'no-answer' },
  });
  const plain = await listening(createPlain((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  expect(await servedChain(plain, quick)).toMatchObject({ state: 'unseen' });
});
