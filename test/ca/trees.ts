import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { kubernetesRelease } from '../health/kubernetes-release.ts';

/** Trees of certificates as others make them, by the real tools. */

/** Put there by scripts/cfssl.sh, which `make setup` and `make test` run. */
const bin = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kbin/test/cfssl');

const usages = ['signing', 'key encipherment', 'server auth', 'client auth'];

/** A folder as guides fill it: `cfssl gencert -initca … | cfssljson -bare ca`, then one certificate after the other. */
class CfsslFolder {
  private readonly folder: string;

  constructor(folder: string, ca: object) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const config = {
      signing: { default: { expiry: '87600h' }, profiles: { www: { expiry: '87600h', usages } } },
    };
    this.write('ca-config.json', config);
    this.write('ca-csr.json', { key: { algo: 'rsa', size: 2048 }, ...ca });
    this.run('-initca ca-csr.json', 'ca');
  }

  issue(name: string, CN: string, O: string, hosts: readonly string[] = []): void {
    const names = [{ C: 'CN', L: 'BeiJing', ST: 'BeiJing', O, OU: 'System' }];
    this.write(`${name}-csr.json`, { CN, hosts, key: { algo: 'ecdsa', size: 256 }, names });
    this.run(`-ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=www ${name}-csr.json`, name);
  }

  private write(name: string, content: object): void {
    writeFileSync(join(this.folder, name), JSON.stringify(content));
  }

  private run(argv: string, name: string): void {
    const line = `"${bin}/cfssl" gencert ${argv} | "${bin}/cfssljson" -bare ${name}`;
    execFileSync('bash', ['-o', 'pipefail', '-c', line], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

const serviceNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/** The layout of hand-install guides: two CAs, one certificate for all etcd hosts, one for all apiservers. */
export function optTree(folder: string, hosts: readonly string[], serviceAddress: string): void {
  const etcd = new CfsslFolder(join(folder, 'etcd/ssl'), {
    CN: 'etcd CA',
    names: [{ C: 'CN', L: 'Beijing' }],
  });
  etcd.issue('server', 'etcd', 'k8s', hosts);
  const kubernetes = new CfsslFolder(join(folder, 'kubernetes/ssl'), {
    CN: 'kubernetes',
    names: [{ C: 'CN', O: 'k8s' }],
  });
  kubernetes.issue('server', 'kubernetes', 'k8s', [serviceAddress, '127.0.0.1', ...hosts, ...serviceNames]);
  kubernetes.issue('kube-controller-manager', 'system:kube-controller-manager', 'system:masters');
  kubernetes.issue('kube-scheduler', 'system:kube-scheduler', 'system:masters');
  kubernetes.issue('admin', 'admin', 'system:masters');
  kubernetes.issue('kube-proxy', 'system:kube-proxy', 'k8s');
}

/** kubeasz's: one CA for everything, the client of extension apiservers too. */
export function kubeaszTree(folder: string, hosts: readonly string[], serviceAddress: string): void {
  const ssl = new CfsslFolder(folder, {
    CN: 'kubernetes',
    names: [{ C: 'CN', ST: 'HangZhou', L: 'XS', O: 'k8s', OU: 'System' }],
  });
  ssl.issue('etcd', 'etcd', 'k8s', [...hosts, '127.0.0.1']);
  ssl.issue('kubernetes', 'kubernetes', 'k8s', ['127.0.0.1', ...hosts, serviceAddress, ...serviceNames]);
  ssl.issue('aggregator-proxy', 'aggregator', 'k8s');
  ssl.issue('admin', 'admin', 'system:masters');
  ssl.issue('kubelet', `system:node:${hosts[0]}`, 'system:nodes', hosts.slice(0, 1));
}

/** `kubeadm init phase certs all` and `kubeconfig all`, by kubeadm 1.20.2. */
export async function kubeadmTree(
  folder: string,
  host: string,
  address: string,
  serviceCidr: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'kubeadm.yaml');
  writeFileSync(
    config,
    `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: ${address}, bindPort: 6443 }
nodeRegistration: { name: ${host}, criSocket: /none }
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: v1.20.2
certificatesDir: ${folder}/pki
networking: { serviceSubnet: ${serviceCidr} }
`,
  );
  const kubeadm = join(await kubernetesRelease(), 'kubeadm');
  const phase = (...argv: string[]): void => {
    execFileSync(kubeadm, ['init', 'phase', ...argv, `--config=${config}`], { stdio: 'pipe' });
  };
  phase('certs', 'all');
  phase('kubeconfig', 'all', `--kubeconfig-dir=${folder}`);
}
