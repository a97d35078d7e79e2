import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { optTree } from '../ca/trees.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import type { LabHost } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { ControlPlane } from './control-plane.ts';
import type { Settings } from './deployment.ts';
import { HandBuilt, sharedEtcdPki } from './hand-built.ts';
import { sendFiles } from './send-files.ts';

/** Where guides put units; systemd goes by both. */
export const unitFolders = ['/usr/lib/systemd/system', '/etc/systemd/system'] as const;

/** Flags and values, in their order. */
type Flags = readonly (readonly [flag: string, value: string])[];

const tls = '/opt/kubernetes/ssl';
const cfg = '/opt/kubernetes/cfg';
const serviceCidr = '10.0.0.0/24';
const podCidr = '10.244.0.0/16';

/**
 * Kubernetes 1.20.2 as hand-install guides set it up, without any of kbin: certificates by cfssl, copied around; three
 * units per host with all their flags in /opt/kubernetes/cfg/*.conf; tokens signed with the CA's key. On the first two
 * hosts; its etcd, made in the same way, on all three.
 */
export class HandBuiltControlPlane {
  readonly lab: Lab;
  readonly plane: ControlPlane;
  readonly etcd: HandBuilt;
  /** What cfssl made. */
  readonly tree: string;

  private constructor(lab: Lab, plane: ControlPlane, etcd: HandBuilt, tree: string) {
    this.lab = lab;
    this.plane = plane;
    this.etcd = etcd;
    this.tree = tree;
  }

  /** The hosts of the control plane. */
  get hosts(): readonly LabHost[] {
    return this.lab.hosts.slice(0, 2);
  }

  static async create(lab: Lab): Promise<HandBuiltControlPlane> {
    const plane = await ControlPlane.create(lab, settingsOf(lab));
    const tree = join(plane.folder, 'tree');
    optTree(
      tree,
      lab.hosts.map(({ address }) => address),
      '10.0.0.1',
    );
    const etcd = await HandBuilt.create(lab, '3.5.16', (one) => sharedEtcdPki(one, join(tree, 'etcd/ssl')));
    const built = new HandBuiltControlPlane(lab, plane, etcd, tree);
    // ControlPlane has made one of its own.
    await rm(join(plane.folder, 'pki'), { recursive: true });
    await built.adopt('--as', `service-account=${built.file('ca-key.pem')}`);
    await Promise.all(built.hosts.map((host, index) => built.install(host, unitFolders[index % 2] ?? '')));
    await built.ready();
    return built;
  }

  /** Of cfssl's folder for Kubernetes, on this machine. */
  file(name: string): string {
    return join(this.tree, 'kubernetes/ssl', name);
  }

  /** What cluster.yaml says, with further flags for apiservers. */
  settings(...flags: string[]): Settings {
    return settingsOf(this.lab, ...flags);
  }

  /** What kbin makes of the tree. */
  async adopt(...options: string[]): Promise<void> {
    await this.plane.kbinDoes('pki', 'adopt', 'tree', ...options);
    await this.plane.kbinDoes('pki', 'init');
  }

  /** With another pki folder for a while, which is none at first. */
  async withOtherPki<T>(work: () => Promise<T>): Promise<T> {
    const [pki, kept] = ['pki', 'pki.kept'].map((name) => join(this.plane.folder, name)) as [string, string];
    await rename(pki, kept);
    try {
      return await work();
    } finally {
      await rm(pki, { recursive: true, force: true });
      await rename(kept, pki);
    }
  }

  /** kubectl with the administrator's kubeconfig of the guide; must succeed. Returns stdout. */
  async kubectl(host: LabHost, ...argv: string[]): Promise<string> {
    const kubeconfig = join(this.plane.folder, `guide-${host.name}.conf`);
    await writeFile(kubeconfig, kubeconfigText(host, 'admin', join(this.tree, 'kubernetes/ssl')));
    return this.plane.kubectlAs(kubeconfig, ...argv);
  }

  /** What a host's apiserver says to the bearer of a token who asks for a ConfigMap. */
  configMap(host: LabHost, token: string, name: string): Promise<string> {
    const path = `api/v1/namespaces/default/configmaps/${name}`;
    return host.run(
      ...['curl', '--silent', '--cacert', `${tls}/ca.pem`, '--header', `Authorization: Bearer ${token}`],
      `https://${host.address}:6443/${path}`,
    );
  }

  async remove(): Promise<void> {
    await this.etcd.remove();
    await this.plane.remove();
  }

  private async install(host: LabHost, units: string): Promise<void> {
    const { lab, tree } = this;
    await sendFiles(lab, host, await kubernetesRelease(), controlPlaneComponents, '/opt/kubernetes/bin');
    await sendFiles(lab, host, join(tree, 'kubernetes/ssl'), ['.'], tls);
    await host.run('mkdir', '-p', cfg, '/opt/kubernetes/logs');
    const write = (path: string, text: string) =>
      host.run('sh', '-euc', 'printf %s "$2" >"$1"', 'sh', path, text);
    await write(
      `${cfg}/token.csv`,
      'c47ffb939f5ca36231d9e3121a252940,kubelet-bootstrap,10001,"system:node-bootstrapper"\n',
    );
    const flags = {
      'kube-apiserver': apiserver(host, lab),
      'kube-controller-manager': controllerManager,
      'kube-scheduler': scheduler,
    };
    for (const component of controlPlaneComponents) {
      await write(`${cfg}/${component}.conf`, optionsText(component, flags[component]));
      await write(`${units}/${component}.service`, unitText(component));
      if (component !== 'kube-apiserver')
        await write(`${cfg}/${component}.kubeconfig`, kubeconfigText(host, component, tls));
    }
    await host.run('systemctl', 'daemon-reload');
    await host.run('systemctl', 'enable', '--quiet', '--now', ...controlPlaneComponents);
  }

  /** Each apiserver serves, and what the first of them makes by itself a moment later is there. */
  async ready(): Promise<void> {
    for (const host of this.hosts) {
      await until(
        `the hand-built control plane of ${host.name} is ready`,
        async (saw) => {
          const asked = [
            ['get', '--raw', '/readyz'],
            ['get', 'namespace', 'default'],
          ];
          for (const argv of asked) {
            const failure = await this.kubectl(host, ...argv).then(
              () => undefined,
              (error: Error) => error.message,
            );
            if (failure !== undefined) return saw(failure);
          }
          return true;
        },
        { timeoutMs: 120_000 },
      );
    }
  }
}

function settingsOf({ hosts }: Lab, ...more: string[]): Settings {
  const flags = ['service-account-issuer: api', 'request-timeout: 5s', ...more];
  return {
    roles: (name) => (name === hosts[2]?.name ? ['etcd'] : ['etcd', 'control-plane']),
    kubernetes: `serviceCidr: ${serviceCidr}
podCidr: ${podCidr}
encryption: off
apiserver: { flags: { ${flags.join(', ')} } }`,
    more: 'paths: opt',
  };
}

function optionsVariable(component: string): string {
  return `${component.toUpperCase().replaceAll('-', '_')}_OPTS`;
}

function optionsText(component: string, flags: Flags): string {
  return `${optionsVariable(component)}="${flags.map(([flag, value]) => `--${flag}=${value}`).join(' \\\n')}"\n`;
}

const unitText = (component: string): string => `[Unit]
Description=Kubernetes ${component}
Documentation=https://github.com/kubernetes/kubernetes

[Service]
EnvironmentFile=/opt/kubernetes/cfg/${component}.conf
ExecStart=/opt/kubernetes/bin/${component} $${optionsVariable(component)}
Restart=on-failure

[Install]
WantedBy=multi-user.target
`;

function kubeconfigText({ address }: LabHost, name: string, folder: string): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: kubernetes
    cluster: { certificate-authority: ${folder}/ca.pem, server: 'https://${address}:6443' }
contexts:
  - { name: default, context: { cluster: kubernetes, user: ${name} } }
current-context: default
users:
  - name: ${name}
    user: { client-certificate: ${folder}/${name}.pem, client-key: ${folder}/${name}-key.pem }
`;
}

function apiserver({ address }: LabHost, { hosts }: Lab): Flags {
  return [
    ['logtostderr', 'false'],
    ['v', '2'],
    ['log-dir', '/opt/kubernetes/logs'],
    ['etcd-servers', hosts.map((one) => `https://${one.address}:2379`).join(',')],
    ['bind-address', address],
    ['secure-port', '6443'],
    ['advertise-address', address],
    ['allow-privileged', 'true'],
    ['service-cluster-ip-range', serviceCidr],
    [
      'enable-admission-plugins',
      'NamespaceLifecycle,LimitRanger,ServiceAccount,ResourceQuota,NodeRestriction',
    ],
    ['authorization-mode', 'RBAC,Node'],
    ['enable-bootstrap-token-auth', 'true'],
    ['token-auth-file', `${cfg}/token.csv`],
    ['service-node-port-range', '30000-32767'],
    ['kubelet-client-certificate', `${tls}/server.pem`],
    ['kubelet-client-key', `${tls}/server-key.pem`],
    ['tls-cert-file', `${tls}/server.pem`],
    ['tls-private-key-file', `${tls}/server-key.pem`],
    ['client-ca-file', `${tls}/ca.pem`],
    ['service-account-key-file', `${tls}/ca-key.pem`],
    ['service-account-issuer', 'api'],
    ['service-account-signing-key-file', `${tls}/ca-key.pem`],
    ['etcd-cafile', '/opt/etcd/ssl/ca.pem'],
    ['etcd-certfile', '/opt/etcd/ssl/server.pem'],
    ['etcd-keyfile', '/opt/etcd/ssl/server-key.pem'],
    ['requestheader-client-ca-file', `${tls}/ca.pem`],
    ['proxy-client-cert-file', `${tls}/server.pem`],
    ['proxy-client-key-file', `${tls}/server-key.pem`],
    ['requestheader-allowed-names', 'kubernetes'],
    ['requestheader-extra-headers-prefix', 'X-Remote-Extra-'],
    ['requestheader-group-headers', 'X-Remote-Group'],
    ['requestheader-username-headers', 'X-Remote-User'],
    ['enable-aggregator-routing', 'true'],
    ['audit-log-maxage', '30'],
    ['audit-log-maxbackup', '3'],
    ['audit-log-maxsize', '100'],
    ['audit-log-path', '/opt/kubernetes/logs/k8s-audit.log'],
    // No guide's: so long it waits for watches when it is told to stop.
    ['request-timeout', '5s'],
  ];
}

const controllerManager: Flags = [
  ['logtostderr', 'false'],
  ['v', '2'],
  ['log-dir', '/opt/kubernetes/logs'],
  ['leader-elect', 'true'],
  ['kubeconfig', `${cfg}/kube-controller-manager.kubeconfig`],
  ['bind-address', '127.0.0.1'],
  ['allocate-node-cidrs', 'true'],
  ['cluster-cidr', podCidr],
  ['service-cluster-ip-range', serviceCidr],
  ['cluster-signing-cert-file', `${tls}/ca.pem`],
  ['cluster-signing-key-file', `${tls}/ca-key.pem`],
  ['root-ca-file', `${tls}/ca.pem`],
  ['service-account-private-key-file', `${tls}/ca-key.pem`],
  ['cluster-signing-duration', '87600h0m0s'],
];

const scheduler: Flags = [
  ['logtostderr', 'false'],
  ['v', '2'],
  ['log-dir', '/opt/kubernetes/logs'],
  ['leader-elect', 'true'],
  ['kubeconfig', `${cfg}/kube-scheduler.kubeconfig`],
  ['bind-address', '127.0.0.1'],
];
