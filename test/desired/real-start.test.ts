/** The files that kbin renders, taken by the real etcd: one member on loopback, from nothing to serving. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { initialCluster } from '../../src/desired/components/etcd-urls.ts';
import { desire } from '../../src/desired/desire.ts';
import { bootstrapIdentity } from '../../src/diff/etcd-identity.ts';
import { readMember } from '../../src/health/live.ts';
import { etcdCredentials, etcdTargets } from '../../src/health/of-cluster.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { install } from './installed.ts';
import { realVersions, unpackEtcd } from './real-etcd.ts';

describe.each(realVersions)('etcd %s', (version) => {
  const folder = mkdtempSync(join(tmpdir(), `kbin-start-${version}-`));
  let binary = '';
  let etcd: ChildProcess;
  let log = '';
  let cluster: Cluster;
  let store: Store;

  beforeAll(async () => {
    binary = unpackEtcd(version);
    cluster = await loopbackCluster(folder, version);
    store = await openStore(`${folder}/pki`);
    await reconcileStore(certificatePlan(cluster), store, { now: new Date() });
    const [host] = cluster.hosts;
    const component = host && desire(cluster, host, { store: store.view() }).components[0];
    if (component === undefined) throw new Error('no etcd to start');
    await install(component, store);
    // As systemd would: the file's variables and nothing else of ours.
    const start = `set -a; . ${cluster.paths.etcd.config}; exec ${binary}`;
    etcd = spawn('sh', ['-c', start], { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [etcd.stdout, etcd.stderr]) {
      stream?.on('data', (chunk) => {
        log += chunk;
      });
    }
  }, 300_000);

  afterAll(async () => {
    if (etcd?.exitCode === null) {
      etcd.kill('SIGKILL');
      await once(etcd, 'exit');
    }
    for (const path of [folder, dirname(binary)]) rmSync(path, { recursive: true, force: true });
  });

  test('serves kbin’s own client with a quorum, as the member that kbin expects', async () => {
    const reading = await answer(cluster, store, () => log);
    const name = cluster.hosts[0]?.name ?? '';
    expect(reading).toMatchObject({
      quorum: true,
      status: { version, ...bootstrapIdentity(initialCluster(cluster), cluster.etcd.token, name) },
      members: [{ name }],
    });
  }, 60_000);

  test('knows every variable it was given, and takes every value', () => {
    expect(log).toContain('serving client traffic securely');
    expect(
      log.split('\n').filter((line) => /unrecogni[sz]ed|deprecat|conflicting|invalid value/i.test(line)),
    ).toEqual([]);
  });

  test('has neither a plaintext listener nor an ear for clients without a certificate', async () => {
    const { clientPort, peerPort } = cluster.etcd;
    await expect(request(() => get(`http://127.0.0.1:${clientPort}/health`))).resolves.not.toContain('true');
    for (const port of [clientPort, peerPort]) {
      const insecure = () => getTls(`https://127.0.0.1:${port}/health`, { rejectUnauthorized: false });
      await expect(request(insecure)).resolves.toMatch(/^error .*certificate/i);
    }
  });
});

async function loopbackCluster(folder: string, version: string): Promise<Cluster> {
  const [clientPort, peerPort] = await freePorts();
  const paths = { config: 'conf/etcd.conf', tls: 'conf/pki', data: 'data', wal: 'wal', bin: 'bin' };
  return exampleCluster({
    folder,
    hosts: [exampleHost('loopback1', '127.0.0.1', ['etcd'])],
    etcd: { version, clientPort, peerPort, metricsUrl: undefined },
    paths: {
      etcd: Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, join(folder, path)])),
    },
  });
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports as [number, number];
}

async function answer(cluster: Cluster, store: Store, log: () => string) {
  const [target] = etcdTargets(cluster, () => Promise.reject(new Error('no host to connect to')));
  const credentials = await etcdCredentials(store);
  const deadline = Date.now() + 45_000;
  for (;;) {
    const reading = target && (await readMember(target, credentials));
    if (reading?.quorum === true) return reading;
    if (Date.now() > deadline) throw new Error(`no answer: ${JSON.stringify(reading?.failure)}\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The body, or `error …`. */
function request(send: () => ReturnType<typeof get>): Promise<string> {
  return new Promise((resolve) => {
    send()
      .on('error', (error) => resolve(`error ${error.message}`))
      .on('response', (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve(body));
      });
  });
}
