import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { deployEtcd, type EtcdDeployment, type EtcdDeployReport } from '../../src/apply/deploy-etcd.ts';
import { resolveBinaries } from '../../src/binaries/resolve.ts';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import type { Progress } from '../../src/cli/io.ts';
import type { Cluster, Role } from '../../src/cluster/cluster.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import type { EtcdHealth } from '../../src/health/check.ts';
import { etcdHealth } from '../../src/health/etcd.ts';
import { etcdCredentials, etcdTargets } from '../../src/health/of-cluster.ts';
import type { EtcdCredentials, EtcdTarget } from '../../src/health/target.ts';
import { createConnect } from '../../src/remote/connect.ts';
import type { Connect } from '../../src/remote/host.ts';
import type { Lab } from '../lab/lab.ts';
import { Writer } from './writer.ts';

/** How a test's cluster differs from the plain one: three hosts of the lab, etcd 3.5.16 in the fhs layout. */
export interface Settings {
  readonly hosts?: readonly string[];
  /** Roles by host; default etcd alone. */
  readonly roles?: (host: string) => readonly Role[];
  readonly version?: '3.4.23' | '3.5.16';
  /** Where the binaries come from; default the tarball of the version. */
  readonly source?: string;
  readonly user?: string;
  /** More lines of cluster.yaml, below `ssh:`, below `etcd:`, and at the end. */
  readonly ssh?: string;
  readonly etcd?: string;
  readonly more?: string;
  /** Lines of the section `kubernetes:`, which there is only then. */
  readonly kubernetes?: string;
}

export type DeployOptions = Partial<
  Pick<EtcdDeployment, 'allowDowntime' | 'skipHosts' | 'within' | 'signal' | 'operator' | 'connect' | 'store'>
>;

/** A cluster.yaml with its certificate store, and what `kbin etcd deploy` does with it, in this process. */
export class Deployment {
  readonly lab: Lab;
  readonly folder: string;
  /** `HOST: STEP` of every step since it was last emptied, without transfers. */
  readonly steps: string[] = [];
  #settings: Settings = {};

  /** Of an empty folder; create() makes one. */
  constructor(lab: Lab, folder: string) {
    this.lab = lab;
    this.folder = folder;
  }

  static async create<T extends Deployment>(
    this: new (
      lab: Lab,
      folder: string,
    ) => T,
    lab: Lab,
    settings: Settings = {},
  ): Promise<T> {
    const deployment = new this(lab, await mkdtemp(join(tmpdir(), 'kbin-deployment-')));
    await deployment.configure(settings);
    return deployment;
  }

  get file(): string {
    return join(this.folder, 'cluster.yaml');
  }

  /** Writes cluster.yaml and does what `kbin pki init` does. */
  async configure(settings: Settings): Promise<void> {
    this.#settings = settings;
    await writeFile(this.file, clusterYaml(this.lab, settings));
    await reconcileStore(certificatePlan(await this.cluster()), await this.store(), {
      now: new Date(),
      command: 'test',
    });
  }

  /** Changes some settings and keeps the others. */
  async change(settings: Settings): Promise<void> {
    await this.configure({ ...this.#settings, ...settings });
  }

  cluster(): Promise<Cluster> {
    return loadCluster(this.file);
  }

  store(): Promise<Store> {
    return openStore(join(this.folder, 'pki'));
  }

  async connect(): Promise<Connect> {
    return createConnect(await this.cluster(), {
      acceptNewHostKeys: false,
      env: { HOME: this.folder },
      warn: (text) => this.steps.push(`warning: ${text}`),
    });
  }

  async deploy(options: DeployOptions = {}): Promise<EtcdDeployReport> {
    const inputs = await this.inputs();
    const { version, source } = inputs.cluster.etcd;
    return deployEtcd({
      ...inputs,
      binaries: (architecture) => resolveBinaries({ component: 'etcd', version, architecture, source }),
      ...options,
    });
  }

  /** What every deploy is given, whatever the component. */
  protected async inputs() {
    return {
      cluster: await this.cluster(),
      store: await this.store(),
      connect: await this.connect(),
      operator: { user: 'test', machine: 'lab', pid: process.pid, command: 'vitest' },
      progress: this.#progress(),
      allowDowntime: false,
      skipHosts: [],
      within: 90,
      now: Date.now,
    };
  }

  async targets(): Promise<readonly EtcdTarget[]> {
    return etcdTargets(await this.cluster(), await this.connect());
  }

  async credentials(): Promise<EtcdCredentials> {
    return etcdCredentials(await this.store());
  }

  async health(): Promise<EtcdHealth> {
    return etcdHealth(await this.targets(), await this.credentials());
  }

  async writer(): Promise<Writer> {
    return new Writer(await this.targets(), await this.credentials());
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  #progress(): Progress {
    const say = (host: string, text: string) => this.steps.push(`${host}: ${text}`);
    return {
      step: say,
      transfer: () => {},
      done: say,
      fail: say,
      note: (text) => this.steps.push(text),
      end: () => {},
    };
  }
}

function clusterYaml(lab: Lab, settings: Settings): string {
  const version = settings.version ?? '3.5.16';
  const hosts = (settings.hosts ?? lab.hosts.map(({ name }) => name)).map(
    (name) =>
      `  - { name: ${name}, address: ${lab.host(name).address}, roles: [${settings.roles?.(name) ?? 'etcd'}] }`,
  );
  const lines = (text: string | undefined, indent: string) =>
    (text ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => `${indent}${line}`);
  return `${[
    'name: lab',
    'hosts:',
    ...hosts,
    'ssh:',
    `  user: ${settings.user ?? 'root'}`,
    `  identityFile: ${lab.sshKey}`,
    `  knownHosts: ${lab.knownHosts}`,
    ...lines(settings.ssh, '  '),
    'etcd:',
    `  version: ${version}`,
    `  source: ${settings.source ?? inject('etcdTarballs')[version]}`,
    ...lines(settings.etcd, '  '),
    ...(settings.kubernetes === undefined ? [] : ['kubernetes:', ...lines(settings.kubernetes, '  ')]),
    ...lines(settings.more, ''),
  ].join('\n')}\n`;
}
