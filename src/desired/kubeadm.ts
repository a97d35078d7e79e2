import {
  type Cluster,
  type ClusterHost,
  type ControlPlaneComponent,
  controlPlaneComponents,
  hostsWithRole,
} from '../cluster/cluster.ts';
import { compareMinors, versionOf } from '../cluster/version.ts';
import { certificatePlan } from './certificates.ts';
import { clientUrls } from './components/etcd-urls.ts';
import { endpointUrl } from './kubeconfig.ts';

/** kubeadm's own places on a host; its static pods see the first two folders. */
export const kubeadmPaths = {
  certificates: '/etc/kubernetes/pki',
  configuration: '/etc/kubernetes',
  encryption: '/etc/kubernetes/kbin/encryption.yaml',
  auditPolicy: '/etc/kubernetes/kbin/audit-policy.yaml',
  auditLog: '/var/log/kubernetes',
} as const;

export interface KubeadmInputs {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  /** What kbin's own units of the host start the components with, by component. */
  readonly argv: ReadonlyMap<string, readonly string[]>;
}

type Flag = readonly [name: string, values: readonly string[]];

/** Of the flags that kbin sets, those that kubeadm leaves to others, and that mean the same in a static pod. */
const carried: ReadonlySet<string> = new Set([
  'tls-min-version',
  'tls-cipher-suites',
  'profiling',
  'service-node-port-range',
  'shutdown-delay-duration',
  'audit-policy-file',
  'audit-log-path',
  'audit-log-maxage',
  'audit-log-maxbackup',
  'audit-log-maxsize',
  'encryption-provider-config',
  'node-cidr-mask-size',
  'node-cidr-mask-size-ipv4',
  'node-cidr-mask-size-ipv6',
]);

/** In a static pod these lie elsewhere. */
const moved: Readonly<Record<string, string>> = {
  'audit-policy-file': kubeadmPaths.auditPolicy,
  'audit-log-path': `${kubeadmPaths.auditLog}/audit.log`,
  'encryption-provider-config': kubeadmPaths.encryption,
};

/**
 * What kubeadm is told on a control-plane host: an InitConfiguration and the ClusterConfiguration, in the version that
 * the release reads (https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ and its predecessors).
 */
export function kubeadmConfiguration(inputs: KubeadmInputs): readonly object[] {
  const { cluster, host } = inputs;
  const { kubernetes } = cluster;
  const apiVersion = `kubeadm.k8s.io/${kubeadmVersion(cluster)}`;
  const { certificates } = kubeadmPaths;
  return [
    {
      apiVersion,
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: host.address, bindPort: kubernetes.apiserverPort },
      nodeRegistration: { name: host.name },
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      clusterName: cluster.name,
      kubernetesVersion: `v${kubernetes.version}`,
      controlPlaneEndpoint: controlPlaneEndpoint(cluster),
      certificatesDir: certificates,
      networking: {
        serviceSubnet: kubernetes.serviceCidr,
        podSubnet: kubernetes.podCidr,
        dnsDomain: kubernetes.dnsDomain,
      },
      etcd: {
        external: {
          endpoints: hostsWithRole(cluster, 'etcd').map((member) => clientUrls(cluster, member)),
          caFile: `${certificates}/etcd/ca.crt`,
          certFile: `${certificates}/apiserver-etcd-client.crt`,
          keyFile: `${certificates}/apiserver-etcd-client.key`,
        },
      },
      apiServer: {
        certSANs: commonSans(cluster),
        ...component(inputs, 'kube-apiserver'),
        ...volumes(flagsOf(inputs, 'kube-apiserver')),
      },
      controllerManager: component(inputs, 'kube-controller-manager'),
      scheduler: component(inputs, 'kube-scheduler'),
    },
  ];
}

/** v1beta3 came with 1.22, v1beta4 with 1.31; each is read for some releases more. */
function kubeadmVersion({ kubernetes }: Cluster): string {
  const version = versionOf(kubernetes.version ?? '');
  if (compareMinors(version, { major: 1, minor: 22 }) < 0) return 'v1beta2';
  return compareMinors(version, { major: 1, minor: 31 }) < 0 ? 'v1beta3' : 'v1beta4';
}

/** `address:port`, which other hosts join at. */
export function controlPlaneEndpoint(cluster: Cluster): string {
  return (endpointUrl(cluster) ?? '').replace('https://', '');
}

/** What is in the apiserver's certificate on every host: kubeadm puts them there when it renews one. */
function commonSans(cluster: Cluster): readonly string[] {
  const leaves = certificatePlan(cluster)
    .authorities.flatMap((authority) => authority.leaves)
    .filter(({ entry }) => entry === 'apiserver');
  const [first, ...others] = leaves.map(({ sans }) => sans.map(({ value }) => value));
  return (first ?? []).filter((name) => others.every((names) => names.includes(name)));
}

/** A map up to v1beta3, where a flag cannot be given twice; a list since. */
function component(inputs: KubeadmInputs, name: ControlPlaneComponent): { extraArgs?: object } {
  const flags = flagsOf(inputs, name);
  if (flags.length === 0) return {};
  if (kubeadmVersion(inputs.cluster) === 'v1beta4') {
    return {
      extraArgs: flags.flatMap(([flag, values]) => values.map((value) => ({ name: flag, value }))),
    };
  }
  return { extraArgs: Object.fromEntries(flags.map(([flag, values]) => [flag, values.join(',')])) };
}

function flagsOf({ cluster, argv }: KubeadmInputs, name: ControlPlaneComponent): readonly Flag[] {
  const own = cluster.kubernetes.components[name].flags;
  const words = (argv.get(name) ?? []).flatMap((word): [string, string][] => {
    const [, flag = '', value = ''] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    return carried.has(flag) || flag in own ? [[flag, moved[flag] ?? value]] : [];
  });
  const byFlag = Map.groupBy(words, ([flag]) => flag);
  return [...byFlag].map(([flag, entries]) => [flag, entries.map(([, value]) => value)]);
}

/** kubeadm's static pods see nothing of the host but what is named. */
function volumes(flags: readonly Flag[]): { extraVolumes?: readonly object[] } {
  const has = (name: string) => flags.some(([flag]) => flag === name);
  const mounted = [
    ...(has('encryption-provider-config')
      ? [volume('kbin-encryption', kubeadmPaths.encryption, { readOnly: true, pathType: 'File' })]
      : []),
    ...(has('audit-policy-file')
      ? [volume('kbin-audit-policy', kubeadmPaths.auditPolicy, { readOnly: true, pathType: 'File' })]
      : []),
    ...(has('audit-log-path')
      ? [volume('kbin-audit-log', kubeadmPaths.auditLog, { pathType: 'DirectoryOrCreate' })]
      : []),
  ];
  return mounted.length === 0 ? {} : { extraVolumes: mounted };
}

function volume(name: string, path: string, more: object): object {
  return { name, hostPath: path, mountPath: path, ...more };
}

/** Of `flags` in cluster.yaml, those whose values are files: they have to be mounted, which kbin cannot know how. */
export function filesInFlags({ kubernetes }: Cluster): readonly string[] {
  return controlPlaneComponents.flatMap((name) =>
    Object.entries(kubernetes.components[name].flags).flatMap(([flag, values]) =>
      values.some((value) => value.startsWith('/')) ? [`${name} --${flag}=${values.join(',')}`] : [],
    ),
  );
}
