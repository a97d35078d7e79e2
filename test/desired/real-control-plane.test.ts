/**
 * The control plane that kbin renders, run by the real Kubernetes 1.20.2: an etcd and the three programs, each with exactly
 * the arguments of its unit and the files that kbin writes.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import type { Cluster, EncryptionSettings } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { desire } from '../../src/desired/desire.ts';
import type { DesiredComponent } from '../../src/desired/desired.ts';
import { desiredObjects } from '../../src/desired/objects.ts';
import { type ApiClient, openApi } from '../../src/health/api-client.ts';
import { apiCredentials } from '../../src/health/api-target.ts';
import { applyObject, compareObjects } from '../../src/health/objects.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { freePorts } from '../health/local-etcd.ts';
import { until } from '../lab/until.ts';
import { install } from './installed.ts';
import { listeningPorts } from './listening.ts';
import { unpackEtcd } from './real-etcd.ts';

const folder = mkdtempSync(join(tmpdir(), 'kbin-control-plane-'));
const running = new Map<string, ChildProcess>();
const logs = new Map<string, string>();
let etcd = '';
let cluster: Cluster;
let store: Store;
let api: ApiClient;

beforeAll(async () => {
  etcd = unpackEtcd('3.5.16');
  cluster = await localCluster(await kubernetesRelease());
  store = await openStore(`${folder}/pki`);
  await reconcileStore(certificatePlan(cluster), store, { now: new Date() });
  for (const component of desired(cluster)) await install(component, store);
  for (const component of desired(cluster)) start(component);
  const [host] = cluster.hosts;
  const target = {
    name: 'alone',
    address: host?.address ?? '',
    port: cluster.kubernetes.apiserverPort,
  };
  api = openApi(target, await apiCredentials(store), 10_000);
  await ready();
}, 300_000);

afterAll(async () => {
  api?.close();
  await Promise.all([...running.keys()].map((name) => stop(name, 'SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
  if (etcd !== '') rmSync(dirname(etcd), { recursive: true, force: true });
});

describe('the three programs', () => {
  test('take every flag, and none of it is going away but the ports that are shut', () => {
    const warnings = [...logs].flatMap(([name, log]) =>
      log
        .split('\n')
        .filter((line) => /deprecated|unknown|invalid|not recogni[sz]ed/i.test(line) && /--|flag/i.test(line))
        .map((line) => `${name}: ${line}`),
    );
    expect(warnings.filter((line) => !/Flag --port has been deprecated/.test(line))).toEqual([]);
  });

  test('listen where they should and nowhere else', () => {
    const { components, apiserverPort } = cluster.kubernetes;
    const secure = (name: 'kube-controller-manager' | 'kube-scheduler') =>
      Number(components[name].flags['secure-port']?.[0]);
    expect(portsOf('kube-apiserver')).toEqual([apiserverPort]);
    expect(portsOf('kube-controller-manager')).toEqual([secure('kube-controller-manager')]);
    expect(portsOf('kube-scheduler')).toEqual([secure('kube-scheduler')]);
  });

  test('do their work: a Deployment becomes a Pod, which waits for a node', async () => {
    const labels = { app: 'proof' };
    await api.send({
      method: 'POST',
      path: '/apis/apps/v1/namespaces/default/deployments',
      body: {
        metadata: { name: 'proof' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'proof', image: 'proof' }] } },
        },
      },
    });
    const pod = await until('the scheduler has looked at the Pod', async () => {
      const { items } = await api.getJson<{ items: Pod[] }>(
        '/api/v1/namespaces/default/pods?labelSelector=app%3Dproof',
      );
      return items.find(({ status }) => status.conditions !== undefined);
    });
    expect(pod.status).toMatchObject({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', reason: 'Unschedulable' }],
    });
  });
});

describe('RBAC objects', () => {
  test('are taken as they are, and then there is nothing left to change', async () => {
    const wanted = desiredObjects(cluster);
    const missing = await compareObjects(api, wanted);
    expect(missing.map(({ action }) => action)).toEqual(['create', 'create', 'create', 'create']);
    for (const object of wanted) await applyObject(api, object);
    expect(await compareObjects(api, wanted)).toEqual([]);
  });

  test('let the apiserver’s kubelet client do what it has to', async () => {
    // The authorizer hears of a binding a moment after it was made.
    await until('the user may', async () => {
      const { status } = await api.send<{ status: { allowed: boolean } }>({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          spec: {
            user: 'kube-apiserver-kubelet-client',
            resourceAttributes: { verb: 'create', resource: 'nodes', subresource: 'proxy' },
          },
        },
      });
      return status.allowed || undefined;
    });
  });
});

describe('Secrets', () => {
  test('are encrypted in etcd, and can be read whatever cluster.yaml says later', async () => {
    const written = (name: string) => ({
      name,
      read: () => api.getJson<{ data: unknown }>(`/api/v1/namespaces/default/secrets/${name}`),
    });
    const secrets = [];
    const steps: [string, EncryptionSettings | undefined, string][] = [
      ['first', cluster.kubernetes.encryption, 'k8s:enc:secretbox:v1:key1:'],
      ['plain', undefined, 'k8s\0'],
      ['other', { provider: 'aescbc', resources: ['secrets'] }, 'k8s:enc:aescbc:v1:key1:'],
    ];
    for (const [name, encryption, begin] of steps) {
      if (name !== 'first') await restartWith(encryption);
      await create('secrets', { metadata: { name }, stringData: { word: `very-${name}` } });
      secrets.push(written(name));
      expect(raw(`/registry/secrets/default/${name}`).subarray(0, begin.length).toString()).toBe(begin);
      for (const secret of secrets) {
        const word = Buffer.from(`very-${secret.name}`).toString('base64');
        expect(await secret.read()).toMatchObject({ data: { word } });
      }
    }
  }, 180_000);
});

describe('the audit log', () => {
  test('says who did what, without the contents of Secrets and ConfigMaps, and with those of RBAC', async () => {
    await create('configmaps', { metadata: { name: 'audited' }, data: { word: 'never-in-the-log' } });
    await create('secrets', { metadata: { name: 'audited' }, stringData: { word: 'never-in-the-log' } });
    await api.send({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      body: { metadata: { name: 'audited' }, rules: [] },
    });
    await api.get('/readyz');
    const events = await until('the log has the last of them', async () => {
      const lines = readFileSync(`${cluster.paths.kubernetes.audit}/audit.log`, 'utf8').trim().split('\n');
      const all = lines.map((line) => JSON.parse(line) as AuditEvent);
      return all.some(
        ({ objectRef }) => objectRef?.resource === 'clusterroles' && objectRef.name === 'audited',
      )
        ? all
        : undefined;
    });
    const of = (resource: string) =>
      events.find(
        (event) =>
          event.verb === 'create' &&
          event.objectRef?.resource === resource &&
          event.objectRef.name === 'audited',
      );
    for (const resource of ['configmaps', 'secrets']) {
      expect(of(resource)).toMatchObject({ level: 'Metadata', user: { username: 'kubernetes-admin' } });
    }
    expect(of('clusterroles')).toMatchObject({ level: 'Request', requestObject: { kind: 'ClusterRole' } });
    expect(JSON.stringify(events)).not.toContain('never-in-the-log');
    expect(events.filter(({ stage }) => stage === 'RequestReceived')).toEqual([]);
    expect(events.filter(({ requestURI }) => /^\/(readyz|healthz|livez)/.test(requestURI))).toEqual([]);
    const noise = ({ verb, objectRef }: AuditEvent) =>
      objectRef?.resource === 'events' || (objectRef?.resource === 'leases' && verb !== 'create');
    expect(events.filter(noise)).toEqual([]);
  });
});

interface Pod {
  readonly status: { readonly phase: string; readonly conditions?: readonly unknown[] };
}

interface AuditEvent {
  readonly level: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource: string; readonly name?: string };
}

async function localCluster(programs: string): Promise<Cluster> {
  const address = ownAddress();
  const [clientPort = 0, peerPort = 0, apiserverPort = 0, controllers = 0, scheduler = 0] = await freePorts(
    5,
    '0.0.0.0',
  );
  return exampleCluster({
    folder,
    hosts: [exampleHost('alone', address)],
    endpoint: undefined,
    etcd: { version: '3.5.16', clientPort, peerPort, metricsUrl: undefined },
    kubernetes: {
      version: '1.20.2',
      apiserverPort,
      shutdownDelay: 0,
      components: {
        'kube-controller-manager': { flags: { 'secure-port': [String(controllers)] } },
        'kube-scheduler': { flags: { 'secure-port': [String(scheduler)] } },
      },
    },
    paths: {
      units: `${folder}/units`,
      etcd: {
        bin: dirname(etcd),
        config: `${folder}/etcd/etcd.conf`,
        tls: `${folder}/etcd/pki`,
        data: `${folder}/etcd/data`,
      },
      kubernetes: {
        bin: programs,
        config: `${folder}/kubernetes`,
        tls: `${folder}/kubernetes/pki`,
        audit: `${folder}/audit`,
      },
    },
  });
}

/** Of this machine: an apiserver does not take a loopback address as the one it is known by. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (own === undefined) throw new Error('this machine has no address but loopback');
  return own.address;
}

function desired(of: Cluster): readonly DesiredComponent[] {
  const [host] = of.hosts;
  if (host === undefined) throw new Error('no host');
  return desire(of, host, { store: store.view() }).components;
}

/** As systemd would: the arguments of the unit, and of the environment only what the unit gives. */
function start({ name, unit }: DesiredComponent): void {
  const [program = '', ...args] = unit.process.argv;
  const child =
    name === 'etcd'
      ? spawn('sh', ['-c', `set -a; . ${cluster.paths.etcd.config}; exec ${program}`], { env: {} })
      : spawn(program, args, { env: {} });
  running.set(name, child);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => logs.set(name, `${logs.get(name) ?? ''}${chunk}`));
  }
}

async function stop(name: string, signal: NodeJS.Signals): Promise<void> {
  const child = running.get(name);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function restartWith(encryption: EncryptionSettings | undefined): Promise<void> {
  const { encryption: _, ...kubernetes } = cluster.kubernetes;
  cluster = {
    ...cluster,
    kubernetes: { ...kubernetes, ...(encryption === undefined ? {} : { encryption }) },
  };
  const apiserver = desired(cluster).find(({ name }) => name === 'kube-apiserver');
  if (apiserver === undefined) throw new Error('no apiserver');
  await stop('kube-apiserver', 'SIGKILL');
  await install(apiserver, store);
  start(apiserver);
  await ready();
}

async function ready(): Promise<void> {
  try {
    await until('/readyz says yes, and every namespace is there', async () => {
      const { status } = await api.get('/readyz');
      const isUsable = status === 200 && (await api.get('/api/v1/namespaces/default')).status === 200;
      return isUsable || undefined;
    });
  } catch (error) {
    throw new Error(`${[...logs].map(([name, log]) => `${name}: ${log.slice(-2000)}`).join('\n')}`, {
      cause: error,
    });
  }
}

function create(resource: string, body: unknown): Promise<unknown> {
  return api.send({ method: 'POST', path: `/api/v1/namespaces/default/${resource}`, body });
}

/** What lies in etcd under that key. */
function raw(key: string): Buffer {
  const { tls } = cluster.paths.etcd;
  return execFileSync(`${dirname(etcd)}/etcdctl`, [
    `--endpoints=https://127.0.0.1:${cluster.etcd.clientPort}`,
    ...[
      `--cacert=${tls}/ca.crt`,
      `--cert=${tls}/healthcheck-client.crt`,
      `--key=${tls}/healthcheck-client.key`,
    ],
    ...['get', '--print-value-only', key],
  ]);
}

function portsOf(name: string): number[] {
  return listeningPorts(running.get(name)?.pid ?? 0);
}
