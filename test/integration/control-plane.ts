import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type ControlPlaneDeployReport, deployControlPlane } from '../../src/apply/deploy-control-plane.ts';
import { resolveBinaries } from '../../src/binaries/resolve.ts';
import { type ControlPlaneComponent, controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { type ApiClient, openApi } from '../../src/health/api-client.ts';
import {
  type ApiCredentials,
  type ApiTarget,
  apiCredentials,
  apiTargets,
} from '../../src/health/api-target.ts';
import { programFolder } from '../cli/transcript.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { ApiWriter } from './api-writer.ts';
import { Deployment, type DeployOptions, type Settings } from './deployment.ts';
import { execute, type Run, succeed } from './execute.ts';
import { ReadyzWatch } from './readyz-watch.ts';

/**
 * A cluster.yaml with a control plane, Kubernetes 1.20.2 on all hosts beside etcd unless the settings say otherwise; and
 * what one does with it: kbin in this process or as a program, kubectl, an application that writes.
 */
export class ControlPlane extends Deployment {
  /** `kubernetes` of the settings is without version and source; a short shutdownDelay is its default. */
  override async configure(settings: Settings): Promise<void> {
    const own = settings.kubernetes ?? '';
    const known = own.startsWith('version: ');
    const lines = [
      ...(known ? [] : ['version: 1.20.2', `source: ${inject('kubernetesTarball')}`]),
      ...(/^shutdownDelay:/m.test(own) ? [] : ['shutdownDelay: 2']),
      own,
    ];
    await super.configure({
      roles: () => ['etcd', 'control-plane'],
      ...settings,
      kubernetes: lines.join('\n'),
    });
  }

  async deployControlPlane(options: DeployOptions = {}): Promise<ControlPlaneDeployReport> {
    const inputs = await this.inputs();
    const { version = '', source } = inputs.cluster.kubernetes;
    return deployControlPlane({
      ...inputs,
      binaries: (architecture) => resolveBinaries({ component: 'kubernetes', version, architecture, source }),
      ...options,
    });
  }

  /** When each component's process was started, and when systemd took it for started. */
  async started(hosts: readonly string[]): Promise<readonly Started[]> {
    const found = hosts.flatMap((host) =>
      controlPlaneComponents.map(async (component) => {
        const shown = await this.lab
          .host(host)
          .run(
            'systemctl',
            'show',
            '-p',
            'ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic',
            component,
          );
        const of = (name: string) => Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(shown)?.[1]);
        const [at, readyAt] = [of('ExecMainStartTimestampMonotonic'), of('ActiveEnterTimestampMonotonic')];
        return { host, component, at, readyAt };
      }),
    );
    return Promise.all(found);
  }

  async apiTargets(): Promise<readonly ApiTarget[]> {
    return apiTargets(await this.cluster(), await this.connect());
  }

  /** The administrator's. */
  async apiCredentials(): Promise<ApiCredentials> {
    return apiCredentials(await this.store());
  }

  /** For `host`'s apiserver, as the administrator. To be closed. */
  async api(host: string, deadlineMs = 10_000): Promise<ApiClient> {
    const target = (await this.apiTargets()).find(({ name }) => name === host);
    if (target === undefined) throw new Error(`${host} has no apiserver`);
    return openApi(target, await this.apiCredentials(), deadlineMs);
  }

  async apiWriter(name: string): Promise<ApiWriter> {
    return new ApiWriter(await this.apiTargets(), await this.apiCredentials(), name);
  }

  async readyzWatch(): Promise<ReadyzWatch> {
    return new ReadyzWatch(await this.apiTargets(), await this.apiCredentials());
  }

  /** kubectl on the operator's side with the admin.conf that lies on `host`, which points to its apiserver. */
  async kubectl(host: string, ...argv: string[]): Promise<string> {
    const { paths } = await this.cluster();
    const kubeconfig = join(this.folder, `admin-${host}.conf`);
    const text = await this.lab.host(host).run('cat', `${paths.kubernetes.config}/admin.conf`);
    await writeFile(kubeconfig, text, { mode: 0o600 });
    return this.kubectlAs(kubeconfig, ...argv);
  }

  /** kubectl with some kubeconfig; must succeed. Returns stdout. */
  async kubectlAs(kubeconfig: string, ...argv: string[]): Promise<string> {
    return succeed(await kubectl(), ['--kubeconfig', kubeconfig, ...argv], await this.#homely());
  }

  /** As kubectlAs; a failure is a result. */
  async tryKubectlAs(kubeconfig: string, ...argv: string[]): Promise<Run> {
    return execute(await kubectl(), ['--kubeconfig', kubeconfig, ...argv], await this.#homely());
  }

  /** dist/kbin as a user starts it, in the folder of cluster.yaml. */
  async kbin(...argv: string[]): Promise<Run> {
    return execute(join(await programFolder(), 'kbin'), argv, { cwd: this.folder, timeoutMs: 170_000 });
  }

  /** As kbin, for a command that must succeed; returns stdout. */
  async kbinDoes(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.kbin(...argv);
    if (code !== 0) throw new Error(`kbin ${argv.join(' ')} → ${code}:\n${failuresIn(stdout)}${stderr}`);
    return stdout;
  }

  /** A home of its own for what kubectl remembers of a cluster, and none of this machine's proxies. */
  async #homely() {
    const home = join(this.folder, 'home');
    await mkdir(home, { recursive: true });
    return { cwd: this.folder, env: { PATH: process.env.PATH, HOME: home } };
  }
}

/** Microseconds of the machine's one clock, which all hosts of a lab share. */
export interface Started {
  readonly host: string;
  readonly component: ControlPlaneComponent;
  readonly at: number;
  readonly readyAt: number;
}

/** What passed says nothing about why something failed. */
const failuresIn = (text: string) => text.replaceAll(/^pass .*\n/gm, '');

const kubectl = async () => join(await kubernetesRelease(), 'kubectl');
