import { signsNodes } from '../from-store.ts';
import { bundlePath } from './kube-paths.ts';
import type { KubeSetting, Placed } from './kube-setting.ts';
import { clientSettings, servingSettings } from './kube-tls-settings.ts';

const apiserver = 'it talks to the apiserver of its own host with kbin’s certificate';
const signing = 'nodes’ certificates are signed by the CA that every other part of the cluster believes';
const cidrs = 'it follows from `kubernetes.serviceCidr` and `kubernetes.podCidr`';

/** What kbin sets, in the order of the unit. https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
export const controllerManagerSettings: readonly KubeSetting[] = [
  { flag: 'kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  { flag: 'authentication-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  { flag: 'authorization-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  // Probes and metrics: nobody but this host asks, unless cluster.yaml says so.
  { flag: 'bind-address', value: () => '127.0.0.1' },
  { flag: 'secure-port', value: () => '10257' },
  // In plain text on every address otherwise, up to the release that took it away.
  { flag: 'port', value: () => '0', until: '1.23', wiring: 'the plaintext port stays shut' },
  ...servingSettings('kube-controller-manager'),
  ...clientSettings('kube-controller-manager'),

  // Without both, every release since 1.20 leaves its signing controller out and runs all others.
  { flag: 'cluster-signing-cert-file', value: whereSigning('signing-ca.crt'), wiring: signing },
  { flag: 'cluster-signing-key-file', value: whereSigning('signing-ca.key'), wiring: signing },
  {
    flag: 'root-ca-file',
    value: inBundle('ca.crt'),
    wiring: 'pods know the apiserver by the cluster’s CA',
  },
  {
    flag: 'service-account-private-key-file',
    value: inBundle('service-account.key'),
    wiring: 'tokens are signed with the key of kbin’s store, which the apiservers verify with',
  },
  { flag: 'use-service-account-credentials', value: () => 'true' },
  { flag: 'controllers', value: () => '*,bootstrapsigner,tokencleaner' },

  { flag: 'cluster-name', value: ({ cluster }) => cluster.name },
  { flag: 'allocate-node-cidrs', value: () => 'true' },
  { flag: 'cluster-cidr', value: ({ cluster }) => cluster.kubernetes.podCidr, wiring: cidrs },
  { flag: 'service-cluster-ip-range', value: ({ cluster }) => cluster.kubernetes.serviceCidr, wiring: cidrs },
  { flag: 'node-cidr-mask-size', value: maskSize },

  {
    flag: 'leader-elect',
    value: () => 'true',
    wiring: 'two of them at work would undo each other’s doings; there may be another on any host',
  },
  { flag: 'profiling', value: () => 'false' },
];

function inBundle(file: string): KubeSetting['value'] {
  return ({ cluster }) => `${bundlePath(cluster, 'kube-controller-manager')}/${file}`;
}

function whereSigning(file: string): KubeSetting['value'] {
  const path = inBundle(file);
  return (placed) => (signsNodes(placed.cluster, placed.store) ? path(placed) : undefined);
}

/**
 * The defaults of either family, said so that a reader sees them (src/cluster/rules-subnets.ts counts nodes with them). Not
 * beside the flags of one family, which exclude it, nor where nodes get no ranges at all.
 */
function maskSize({ cluster: { kubernetes } }: Placed): string | undefined {
  const { flags } = kubernetes.components['kube-controller-manager'];
  if (flags['allocate-node-cidrs']?.at(-1) === 'false') return undefined;
  if (flags['node-cidr-mask-size-ipv4'] ?? flags['node-cidr-mask-size-ipv6']) return undefined;
  return kubernetes.podCidr.includes(':') ? '64' : '24';
}
