import { type Cluster, hostsWithRole } from '../../cluster/cluster.ts';
import { clientUrls } from './etcd-urls.ts';
import { isEncryptionConfigured } from './kube-encryption.ts';
import { auditPolicyPath, authenticationPath, bundlePath } from './kube-paths.ts';
import type { KubeSetting, Placed } from './kube-setting.ts';
import { clientSettings, ownCertificates, servingSettings } from './kube-tls-settings.ts';

const etcd = 'the apiserver’s etcd is the one of this cluster.yaml, with kbin’s certificates';
const tokens = 'tokens are signed and verified with the key of kbin’s store, on every apiserver alike';
const encryption = 'set `kubernetes.encryption`: keys come from kbin’s store and are the same on every host';
const audit = 'set `kubernetes.audit`';
const kubelets = 'kubelets know the apiserver by kbin’s certificate, and it knows them by the cluster’s CA';
const headers = 'extension apiservers and kbin’s front-proxy certificate count on these names';

/** What kbin sets, in the order of the unit. https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
export const apiserverSettings: readonly KubeSetting[] = [
  {
    flag: 'advertise-address',
    value: ({ host }) => host.address,
    wiring: 'the apiserver is known by the host’s address of cluster.yaml, which is in its certificate',
  },
  {
    flag: 'secure-port',
    value: ({ cluster }) => String(cluster.kubernetes.apiserverPort),
    wiring: 'set `kubernetes.apiserverPort`',
  },
  ...servingSettings('kube-apiserver'),

  { flag: 'etcd-servers', value: ({ cluster }) => etcdServers(cluster), wiring: etcd },
  { flag: 'etcd-cafile', value: inBundle('etcd-ca.crt'), wiring: etcd },
  { flag: 'etcd-certfile', value: inBundle('etcd-client.crt'), wiring: etcd },
  { flag: 'etcd-keyfile', value: inBundle('etcd-client.key'), wiring: etcd },
  {
    flag: 'encryption-provider-config',
    value: ({ cluster, store }) => (isEncryptionConfigured(store) ? encryptionPath(cluster) : undefined),
    wiring: encryption,
  },

  ...clientSettings('kube-apiserver'),
  { flag: 'requestheader-extra-headers-prefix', value: () => 'X-Remote-Extra-', wiring: headers },
  { flag: 'requestheader-group-headers', value: () => 'X-Remote-Group', wiring: headers },
  { flag: 'requestheader-username-headers', value: () => 'X-Remote-User', wiring: headers },
  { flag: 'proxy-client-cert-file', value: inBundle('front-proxy-client.crt'), wiring: ownCertificates },
  { flag: 'proxy-client-key-file', value: inBundle('front-proxy-client.key'), wiring: ownCertificates },
  {
    flag: 'authentication-config',
    value: ({ cluster }) => (hasAuthentication(cluster) ? authenticationPath(cluster) : undefined),
    // Anonymous requests can be let in for some paths alone since then (AnonymousAuthConfigurableEndpoints, beta).
    since: '1.32',
  },
  { flag: 'authorization-mode', value: authorizationMode, wiring: authorizationMistake },
  {
    flag: 'enable-admission-plugins',
    value: admissionPlugins,
    combines: true,
  },
  { flag: 'enable-bootstrap-token-auth', value: () => 'true' },

  {
    flag: 'service-account-issuer',
    value: ({ cluster }) => `https://kubernetes.default.svc.${cluster.kubernetes.dnsDomain}`,
  },
  { flag: 'service-account-signing-key-file', value: inBundle('service-account.key'), wiring: tokens },
  { flag: 'service-account-key-file', value: inBundle('service-account.pub'), wiring: tokens },

  { flag: 'kubelet-certificate-authority', value: inBundle('ca.crt'), wiring: kubelets },
  { flag: 'kubelet-client-certificate', value: inBundle('kubelet-client.crt'), wiring: kubelets },
  { flag: 'kubelet-client-key', value: inBundle('kubelet-client.key'), wiring: kubelets },
  // Names of nodes need not resolve anywhere.
  { flag: 'kubelet-preferred-address-types', value: () => 'InternalIP,ExternalIP,Hostname' },

  {
    flag: 'service-cluster-ip-range',
    value: ({ cluster }) => cluster.kubernetes.serviceCidr,
    wiring: 'set `kubernetes.serviceCidr`',
  },
  { flag: 'service-node-port-range', value: () => '30000-32767' },
  { flag: 'allow-privileged', value: () => 'true' },
  {
    flag: 'endpoint-reconciler-type',
    value: () => 'lease',
    wiring: 'with any other one the service `kubernetes` goes on naming apiservers that are down',
  },
  {
    flag: 'shutdown-delay-duration',
    value: ({ cluster }) => `${cluster.kubernetes.shutdownDelay}s`,
    wiring: 'set `kubernetes.shutdownDelay`, which the unit’s own patience follows',
  },
  { flag: 'profiling', value: () => 'false' },

  { flag: 'audit-policy-file', value: ({ cluster }) => audited(cluster, auditPolicyPath), wiring: audit },
  {
    flag: 'audit-log-path',
    value: ({ cluster }) => audited(cluster, ({ paths }) => `${paths.kubernetes.audit}/audit.log`),
    wiring: audit,
  },
  {
    flag: 'audit-log-maxage',
    value: ({ cluster: { kubernetes } }) => kubernetes.audit && String(kubernetes.audit.maxAge),
    wiring: audit,
  },
  {
    flag: 'audit-log-maxbackup',
    value: ({ cluster: { kubernetes } }) => kubernetes.audit && String(kubernetes.audit.maxBackups),
    wiring: audit,
  },
  {
    flag: 'audit-log-maxsize',
    value: ({ cluster: { kubernetes } }) => kubernetes.audit && String(kubernetes.audit.maxSize),
    wiring: audit,
  },
];

/** Whether kbin says who may ask without credentials: not where the user has a say in authentication. */
export function hasAuthentication({ kubernetes }: Cluster): boolean {
  const flags = Object.keys(kubernetes.components['kube-apiserver'].flags);
  return !flags.some((flag) => /^(anonymous-auth|authentication-config|oidc-.*)$/.test(flag));
}

export function encryptionPath(cluster: Cluster): string {
  return `${bundlePath(cluster, 'kube-apiserver')}/encryption.yaml`;
}

function inBundle(file: string): KubeSetting['value'] {
  return ({ cluster }) => `${bundlePath(cluster, 'kube-apiserver')}/${file}`;
}

/** Every member, in the order of cluster.yaml: the apiserver goes to another when one is down. */
function etcdServers(cluster: Cluster): string {
  return hostsWithRole(cluster, 'etcd')
    .map((host) => clientUrls(cluster, host))
    .join(',');
}

function audited(cluster: Cluster, path: (cluster: Cluster) => string): string | undefined {
  return cluster.kubernetes.audit === undefined ? undefined : path(cluster);
}

/** A file with authorizers and this flag exclude each other. */
function authorizationMode({ cluster }: Placed): string | undefined {
  const { flags } = cluster.kubernetes.components['kube-apiserver'];
  return flags['authorization-config'] === undefined ? 'Node,RBAC' : undefined;
}

function authorizationMistake(values: readonly string[]): string | undefined {
  const modes = values.flatMap((value) => value.split(','));
  if (modes.includes('AlwaysAllow')) return 'AlwaysAllow would let everybody do everything';
  return modes.includes('Node') && modes.includes('RBAC')
    ? undefined
    : 'Node and RBAC have to be among them: nodes and the components of the control plane live by their rules';
}

/** With NodeRestriction a kubelet can change its own node only: the Node authorizer counts on it. */
function admissionPlugins({ cluster }: Placed): string | undefined {
  const { flags } = cluster.kubernetes.components['kube-apiserver'];
  const listed = (flag: string) => (flags[flag] ?? []).flatMap((value) => value.split(','));
  const isOff = listed('disable-admission-plugins').includes('NodeRestriction');
  const wanted = [...(isOff ? [] : ['NodeRestriction']), ...listed('enable-admission-plugins')];
  return [...new Set(wanted.filter((name) => name !== ''))].join(',') || undefined;
}
