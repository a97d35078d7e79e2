import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Digest, downloadFile, downloadText } from '../../src/binaries/download.ts';
import { refusal } from '../remote/connected.ts';
import { temporaryFolder } from '../remote/temporary-folder.ts';

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function digestOf(bytes: Buffer, algorithm: Digest['algorithm'] = 'sha256'): Digest {
  return { algorithm, hex: createHash(algorithm).update(bytes).digest('hex') };
}

test.each(['sha256', 'sha512'] as const)(
  'a file is verified by its %s and its progress told',
  async (algorithm) => {
    const bytes = randomBytes(1_000_000);
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
    );
    const path = join(temporaryFolder(), 'below', 'file');
    const seen: [number, number][] = [];
    const progress = (_: string, received: number, total: number) => seen.push([received, total]);
    await downloadFile(url, path, digestOf(bytes, algorithm), { env: {}, progress });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(seen.at(-1)).toEqual([1_000_000, 1_000_000]);
  },
);

test('redirects are followed, as the official places answer with one', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/there') response.end('arrived');
    else response.writeHead(302, { location: '/there' }).end();
  });
  expect(await downloadText(`${url}/here`, { env: {} })).toBe('arrived');
});

test('a transfer that stalls is given up and tried again', async () => {
  const bytes = randomBytes(100_000);
  let asked = 0;
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    if (++asked === 1) response.write(bytes.subarray(0, 1000));
    else response.end(bytes);
  });
  const path = join(temporaryFolder(), 'file');
  await downloadFile(url, path, digestOf(bytes), { env: {}, stallSeconds: 0.3 });
  expect([asked, readFileSync(path).equals(bytes)]).toEqual([2, true]);
});

test('a server that never answers is an error with a way on', async () => {
  const url = await serve(() => {});
  const error = await refusal(downloadText(url, { env: {}, stallSeconds: 0.1 }));
  expect(error).toMatchObject({
    what: `Cannot download ${url}`,
    why: 'nothing came for 0.1 s (tried 3 times)',
  });
  expect(error.next).toContain('source: PATH');
});

test('http_proxy is used, no_proxy heeded', async () => {
  const proxied: string[] = [];
  const proxy = await serve((request, response) => {
    proxied.push(request.url ?? '');
    response.end('through the proxy');
  });
  const direct = await serve((_, response) => response.end('direct'));
  const env = { http_proxy: proxy };
  expect(await downloadText('http://releases.invalid/SHA256SUMS', { env })).toBe('through the proxy');
  expect(proxied).toEqual(['http://releases.invalid/SHA256SUMS']);
  expect(await downloadText(direct, { env: { ...env, no_proxy: '127.0.0.1' } })).toBe('direct');
  expect(await downloadText(direct, { env: {} })).toBe('direct');
});

test('what a killed run left long ago is removed, what another is writing is not', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'file.1-dead.tmp'));
  writeFileSync(join(folder, 'file.1-dead.tmp', 'half'), '');
  utimesSync(join(folder, 'file.1-dead.tmp'), 0, 0);
  writeFileSync(join(folder, 'file.2-live.tmp'), '');
  const url = await serve((_, response) => response.end('x'));
  await downloadFile(url, join(folder, 'file'), digestOf(Buffer.from('x')), { env: {} });
  expect(readdirSync(folder).sort()).toEqual(['file', 'file.2-live.tmp']);
});

test('a download that fails leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const url = await serve((_, response) => response.end('not it'));
  const error = await refusal(
    downloadFile(url, join(folder, 'file'), digestOf(Buffer.from('it')), { env: {} }),
  );
  expect(error.what).toBe(`${url} has the wrong checksum`);
  expect(existsSync(folder) && readdirSync(folder)).toEqual([]);
});
