import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { addressIn } from '../../../src/cli/pki/show-served.ts';
import { startEtcd } from '../../health/local-etcd.ts';
import { programFolder } from '../transcript.ts';

test.each([
  ['10.0.0.1:6443', '10.0.0.1', 6443],
  ['api.example.net:443', 'api.example.net', 443],
  ['[fd00::1]:2379', 'fd00::1', 2379],
  ['https://api.example.net', 'api.example.net', 443],
  ['https://[::1]:6443/readyz', '::1', 6443],
])('%s is an address', (text, host, port) => {
  expect(addressIn(text)).toEqual({ scheme: 'https', host, port });
});

test.each([
  'apiserver',
  'a.crt',
  './a:1',
  'a:0',
  'a:65536',
  'a:b',
  'fd00::1:2379',
  '[a]:1',
  'http://a:1',
  '',
])('"%s" is none', (text) => {
  expect(addressIn(text)).toBeUndefined();
});

test('a real etcd, its peer port too: what it serves, and whose it is', { timeout: 120_000 }, async () => {
  await using etcd = await startEtcd({ size: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'kbin-served-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(await programFolder(), 'kbin');
  const show = async (cwd: string, url: string) => {
    const env = { ...process.env, KBIN_NODE: process.execPath };
    const address = url.replace('https://', '');
    const { stdout } = await promisify(execFile)(program, ['pki', 'show', address, '--json'], { cwd, env });
    return JSON.parse(stdout);
  };
  const { endpoint, peerUrl } = etcd.member(0);
  const [stranger] = await show(folder, endpoint);
  expect(stranger).toMatchObject({ kind: 'served', protocol: 'TLSv1.3', alpn: 'h2' });
  expect(stranger.authority).toBeUndefined();
  expect(stranger.note).toContain('no cluster.yaml');

  const own = join(folder, 'own');
  mkdirSync(join(own, 'pki/etcd-ca'), { recursive: true });
  writeFileSync(join(own, 'cluster.yaml'), '');
  cpSync(etcd.authority.caFile, join(own, 'pki/etcd-ca/ca.crt'));
  for (const url of [endpoint, peerUrl]) {
    const [served, leaf] = await show(own, url);
    expect(served).toMatchObject({ kind: 'served', authority: 'etcd-ca of this cluster' });
    expect(served.otherName).toBeUndefined();
    expect(leaf).toMatchObject({ kind: 'certificate', signedBy: 'etcd-ca of this cluster' });
  }
  const [elsewhere] = await show(own, endpoint.replace('127.0.0.1', 'localhost'));
  expect(elsewhere.otherName).toContain('IP Address:127.0.0.1');
});

test('a host that takes the connection and says nothing: given up in time', { timeout: 60_000 }, async () => {
  const server = createServer(() => {});
  onTestFinished(() => void server.close());
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const program = join(await programFolder(), 'kbin');
  const env = { ...process.env, KBIN_NODE: process.execPath };
  await expect(
    promisify(execFile)(program, ['pki', 'show', `127.0.0.1:${port}`], { cwd: tmpdir(), env }),
  ).rejects.toThrow(/shows no certificate[\s\S]*does not answer/);
});
