import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ApiClient, openApi } from '../../src/health/api-client.ts';
import type { ApiCredentials, ApiTarget } from '../../src/health/api-target.ts';
import { until } from '../lab/until.ts';
import { Authority } from './authority.ts';
import { kubernetesRelease } from './kubernetes-release.ts';
import { freePorts, type LocalEtcd, startEtcd } from './local-etcd.ts';

const run = promisify(execFile);

export interface LocalKubernetesOptions {
  /** How many apiservers, all on one etcd member. Default 1. */
  readonly apiservers?: number;
  /** Encrypt Secrets with a secretbox key named key1. Default true. */
  readonly encryption?: boolean;
}

/** A real etcd and real apiservers on loopback, and where asked for the other two: safe to break. */
export class LocalKubernetes implements AsyncDisposable {
  readonly etcd: LocalEtcd;
  readonly authority: Authority;
  readonly apiservers: readonly LocalProcess[];
  readonly others: LocalProcess[] = [];
  readonly programs: string;

  constructor(etcd: LocalEtcd, authority: Authority, apiservers: readonly LocalProcess[], programs: string) {
    this.etcd = etcd;
    this.authority = authority;
    this.apiservers = apiservers;
    this.programs = programs;
  }

  apiserver(index: number): LocalProcess {
    const found = this.apiservers[index];
    if (found === undefined) throw new Error(`no apiserver ${index}`);
    return found;
  }

  get targets(): ApiTarget[] {
    return this.apiservers.map(({ name, port }) => ({ name, address: '127.0.0.1', port }));
  }

  async credentials(client = 'admin', authority = this.authority): Promise<ApiCredentials> {
    return {
      ca: await this.authority.read('ca.crt'),
      cert: await authority.read(`${client}.crt`),
      key: await authority.read(`${client}.key`),
    };
  }

  async client(index = 0): Promise<ApiClient> {
    const target = this.targets[index];
    if (target === undefined) throw new Error(`no apiserver ${index}`);
    return openApi(target, await this.credentials());
  }

  /** The release's own client, at the first apiserver. */
  async kubectl(argv: readonly string[], index = 0): Promise<string> {
    const { stdout } = await run(
      join(this.programs, 'kubectl'),
      [
        `--server=https://127.0.0.1:${this.apiserver(index).port}`,
        `--certificate-authority=${this.authority.caFile}`,
        `--client-certificate=${this.authority.path('admin.crt')}`,
        `--client-key=${this.authority.path('admin.key')}`,
        ...argv,
      ],
      { env: { HOME: this.etcd.folder } },
    );
    return stdout;
  }

  /** Waits until kubectl finds every apiserver ready. */
  async ready(): Promise<void> {
    for (const index of this.apiservers.keys()) {
      await until(`apiserver ${index} is ready`, async () => {
        await this.kubectl(['get', '--raw', '/readyz'], index);
        return true;
      });
    }
  }

  /** Starts a controller-manager or a scheduler, which talk to that apiserver and listen on loopback. */
  async startComponent(
    program: 'kube-controller-manager' | 'kube-scheduler',
    index = 0,
  ): Promise<LocalProcess> {
    const [port = 0] = await freePorts(1, '127.0.0.1');
    const user = `system:${program}`;
    const name = `${program}-${index}`;
    await this.authority.issue(name, { name: user, sans: 'IP:127.0.0.1,DNS:localhost' });
    const kubeconfig = this.authority.path(`${name}.conf`);
    await writeFile(kubeconfig, kubeconfigText(this.authority, name, this.apiserver(0).port));
    const component = new LocalProcess({
      name,
      port,
      program: join(this.programs, program),
      folder: this.etcd.folder,
    });
    component.flags = [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--port=0',
      `--tls-cert-file=${this.authority.path(`${name}.crt`)}`,
      `--tls-private-key-file=${this.authority.path(`${name}.key`)}`,
      '--leader-elect=true',
      ...(program === 'kube-controller-manager'
        ? [
            '--use-service-account-credentials',
            `--service-account-private-key-file=${this.authority.path('sa.key')}`,
            `--root-ca-file=${this.authority.caFile}`,
          ]
        : []),
    ];
    await component.start();
    this.others.push(component);
    return component;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.apiservers, ...this.others].map((one) => one.stop()));
    await this.etcd[Symbol.asyncDispose]();
  }
}

export class LocalProcess {
  readonly name: string;
  readonly port: number;
  /** What the next start uses; tests may change it. */
  flags: string[] = [];
  private readonly program: string;
  private readonly log: string;
  private process: ChildProcess | undefined;

  constructor(init: { name: string; port: number; program: string; folder: string }) {
    this.name = init.name;
    this.port = init.port;
    this.program = init.program;
    this.log = join(init.folder, `${init.name}.log`);
  }

  async start(): Promise<void> {
    const log = await open(this.log, 'a');
    this.process = spawn(this.program, this.flags, { stdio: ['ignore', log.fd, log.fd], env: {} });
    await log.close();
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Nothing answers, connections stay open. */
  freeze = () => this.process?.kill('SIGSTOP');
  thaw = () => this.process?.kill('SIGCONT');

  /** Puts `--name=value` over a former one. */
  set(flag: string, value: string): void {
    this.flags = [...this.flags.filter((one) => !one.startsWith(`--${flag}=`)), `--${flag}=${value}`];
  }
}

export async function startKubernetes(options: LocalKubernetesOptions = {}): Promise<LocalKubernetes> {
  const [etcd, programs] = await Promise.all([startEtcd({ size: 1 }), kubernetesRelease()]);
  const authority = await Authority.create(join(etcd.folder, 'kubernetes'), 'kubernetes');
  await authority.issue('admin', { name: 'kubernetes-admin', organization: 'system:masters' });
  await authority.issue('apiserver', { sans: 'IP:127.0.0.1,DNS:kubernetes.default' });
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(authority.path('sa.key'), account.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(authority.path('sa.pub'), account.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(authority.path('encryption.yaml'), encryption(randomBytes(32)));
  const count = options.apiservers ?? 1;
  const ports = await freePorts(count, '127.0.0.1');
  const apiservers = ports.map((port, index) => {
    const apiserver = new LocalProcess({
      name: `m${index + 1}`,
      port,
      program: join(programs, 'kube-apiserver'),
      folder: etcd.folder,
    });
    apiserver.flags = apiserverFlags(etcd, authority, port, options.encryption ?? true);
    return apiserver;
  });
  await mkdir(join(etcd.folder, 'run'), { recursive: true });
  for (const apiserver of apiservers) await apiserver.start();
  const kubernetes = new LocalKubernetes(etcd, authority, apiservers, programs);
  try {
    await kubernetes.ready();
  } catch (error) {
    await kubernetes[Symbol.asyncDispose]();
    throw error;
  }
  return kubernetes;
}

function apiserverFlags(
  { authority: etcdAuthority, members, folder }: LocalEtcd,
  authority: Authority,
  port: number,
  encrypted: boolean,
): string[] {
  return [
    `--etcd-servers=${members.map(({ endpoint }) => endpoint).join(',')}`,
    `--etcd-cafile=${etcdAuthority.caFile}`,
    `--etcd-certfile=${etcdAuthority.path('client.crt')}`,
    `--etcd-keyfile=${etcdAuthority.path('client.key')}`,
    '--bind-address=127.0.0.1',
    // Loopback would be refused as an address to advertise.
    '--advertise-address=192.0.2.1',
    `--secure-port=${port}`,
    `--cert-dir=${folder}/run`,
    `--client-ca-file=${authority.caFile}`,
    `--tls-cert-file=${authority.path('apiserver.crt')}`,
    `--tls-private-key-file=${authority.path('apiserver.key')}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${authority.path('sa.pub')}`,
    `--service-account-signing-key-file=${authority.path('sa.key')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    ...(encrypted ? [`--encryption-provider-config=${authority.path('encryption.yaml')}`] : []),
  ];
}

export function encryption(key: Buffer, name = 'key1'): string {
  return `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox: { keys: [{ name: ${name}, secret: ${key.toString('base64')} }] }
      - identity: {}
`;
}

function kubeconfigText(authority: Authority, user: string, port: number): string {
  return `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:${port}', certificate-authority: ${authority.caFile} } }]
users: [{ name: u, user: { client-certificate: ${authority.path(`${user}.crt`)}, client-key: ${authority.path(`${user}.key`)} } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
`;
}
