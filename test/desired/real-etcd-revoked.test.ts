import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { revocables } from '../../src/ca/revocable.ts';
import { renewLists, revoke } from '../../src/ca/revoke.ts';
import type { Store } from '../../src/ca/store.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { filledStore, smallPlan } from '../ca/stores.ts';
import { etcdRelease } from '../health/etcd-release.ts';
import { freePorts, LocalMember } from '../health/local-etcd.ts';
import { until } from '../lab/until.ts';
import { realVersions } from './real-etcd.ts';

/** What kbin counts on of etcd where something is revoked, tried with the real ones. */
describe.each(realVersions)('etcd %s and a list of kbin', (version) => {
  test('reads it at every handshake; its dates and the connections that are open do not matter to it', {
    timeout: 60_000,
  }, async () => {
    const store = await filledStore();
    await using etcd = await start(version, store, 'crl.der');
    const keep = (name: string) => {
      for (const part of ['crt', 'key']) {
        const text = readFileSync(join(store.folder, `etcd-ca/apiserver-etcd-client.${part}`));
        writeFileSync(join(etcd.folder, `${name}.${part}`), text);
      }
    };
    keep('thief');
    await renewLists(smallPlan, store, ['etcd-ca'], { now: new Date() });
    await until('etcd answers', () => etcd.put('thief').then(() => true));
    const open = await etcd.connection('thief');

    await revokeClient(store);
    keep('honest');
    await expect(etcd.put('thief')).rejects.toThrow();
    await etcd.put('honest');
    expect(await open.ask()).toContain('"cluster_id"');

    // Made 200 days ago for 90 days.
    await renewLists(smallPlan, store, ['etcd-ca'], { now: new Date(Date.now() - 200 * 86_400_000) });
    await etcd.put('honest');
    await expect(etcd.put('thief')).rejects.toThrow();

    rmSync(join(store.folder, 'etcd-ca/crl.der'));
    await expect(etcd.put('honest')).rejects.toThrow();
    await renewLists(smallPlan, store, ['etcd-ca'], { now: new Date() });
    await etcd.put('honest');
  });

  test('before 3.6 it takes PEM too', { timeout: 60_000 }, async () => {
    const store = await filledStore();
    await revokeClient(store);
    await using etcd = await start(version, store, 'crl.pem');
    for (const part of ['crt', 'key']) {
      writeFileSync(
        join(etcd.folder, `honest.${part}`),
        readFileSync(join(store.folder, `etcd-ca/apiserver-etcd-client.${part}`)),
      );
    }
    await until('etcd answers', () => etcd.put('honest').then(() => true));
  });
});

async function revokeClient(store: Store): Promise<void> {
  const one = revocables(smallPlan, diskFiles(store.folder)).find(
    ({ name }) => name === 'apiserver-etcd-client',
  );
  if (one === undefined) throw new Error('no client');
  await revoke(smallPlan, store, [one], { reason: 'keyCompromise', now: new Date() });
}

const run = promisify(execFile);

async function start(version: string, store: Store, list: string) {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-revoked-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [client = 0, peer = 0] = await freePorts(2, '127.0.0.1');
  const programs = await etcdRelease(version);
  const endpoint = `https://127.0.0.1:${client}`;
  const peerUrl = `https://127.0.0.1:${peer}`;
  const member = new LocalMember({ name: 'm1', endpoint, peerUrl, folder, program: join(programs, 'etcd') });
  const of = (name: string) => join(store.folder, 'etcd-ca', name);
  const ca = of('ca.crt');
  member.flags = [
    `--initial-cluster=m1=${peerUrl}`,
    ...[`--listen-client-urls=${endpoint}`, `--advertise-client-urls=${endpoint}`],
    ...[`--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`, '--logger=zap'],
    ...[`--trusted-ca-file=${ca}`, '--client-cert-auth', `--client-crl-file=${of(list)}`],
    ...[`--cert-file=${of('etcd-server@m1.crt')}`, `--key-file=${of('etcd-server@m1.key')}`],
    ...[`--peer-trusted-ca-file=${ca}`, '--peer-client-cert-auth', `--peer-crl-file=${of(list)}`],
    ...[`--peer-cert-file=${of('etcd-peer@m1.crt')}`, `--peer-key-file=${of('etcd-peer@m1.key')}`],
  ];
  await member.start();
  return {
    folder,
    put: (name: string) => {
      const tls = [
        `--cacert=${ca}`,
        `--cert=${join(folder, `${name}.crt`)}`,
        `--key=${join(folder, `${name}.key`)}`,
      ];
      const limits = ['--dial-timeout=2s', '--command-timeout=3s'];
      const argv = [`--endpoints=${endpoint}`, ...tls, ...limits, 'put', 'key', 'value'];
      return run(join(programs, 'etcdctl'), argv, { env: { ETCDCTL_API: '3' } });
    },
    connection: (name: string) => connection(client, ca, join(folder, name)),
    [Symbol.asyncDispose]: () => member.stop(),
  };
}

/** One connection over HTTP/1.1, kept open, on which etcd's gateway is asked again and again. */
async function connection(port: number, ca: string, stem: string) {
  const [authority, cert, key] = [ca, `${stem}.crt`, `${stem}.key`].map((file) => readFileSync(file));
  const socket = connect({ host: '127.0.0.1', port, ca: authority, cert, key, ALPNProtocols: ['http/1.1'] });
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      socket.once('data', (data) => resolve(String(data))).once('close', () => reject(new Error('closed')));
      const body = '{}';
      socket.write(
        `POST /v3/cluster/member/list HTTP/1.1\r\nHost: etcd\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  await ask();
  return { ask };
}
