import type {
  BinarySource,
  Cluster,
  ClusterHost,
  ComponentSettings,
  ControlPlaneComponent,
  Endpoint,
  EtcdSettings,
  KubernetesSettings,
  Paths,
  Role,
  SshSettings,
} from './cluster.ts';
import { type Home, localPath } from './files.ts';
import { layouts } from './layouts.ts';
import type { Draft, HostDraft } from './schema.ts';

/** What holds where cluster.yaml says nothing. `kbin init` prints these beside their keys. */
export const defaults = {
  roles: ['etcd', 'control-plane'] as readonly Role[],
  architecture: 'amd64',
  ssh: { agent: true, connectTimeout: 10, commandTimeout: 120, keepAlive: 5, parallel: 10, maxClockSkew: 2 },
  etcd: {
    user: 'etcd',
    group: 'etcd',
    clientPort: 2379,
    peerPort: 2380,
    metricsUrl: 'http://127.0.0.1:2381',
    heartbeatInterval: 100,
    electionTimeout: 1000,
    snapshotCount: 10_000,
    quotaBackendBytes: 8 * 1024 ** 3,
    maxRequestBytes: 10 * 1024 ** 2,
    autoCompaction: '1h',
    logLevel: 'info',
    reach: 'direct',
  },
  kubernetes: {
    serviceCidr: '10.96.0.0/12',
    podCidr: '10.244.0.0/16',
    dnsDomain: 'cluster.local',
    apiserverPort: 6443,
    shutdownDelay: 10,
    encryption: { provider: 'secretbox', resources: ['secrets'] as readonly string[] },
    audit: { maxAge: 30, maxBackups: 10, maxSize: 100 },
    /** On loopback, each with a certificate. */
    healthPorts: { controllerManager: 10257, scheduler: 10259 },
    users: {
      'kube-apiserver': 'kube-apiserver',
      'kube-controller-manager': 'kube-controller-manager',
      'kube-scheduler': 'kube-scheduler',
    },
  },
  /** Behind a balancer that kbin sets up the apiserver keeps its own port. */
  endpoint: { balancedPort: 16443 },
  pki: { key: 'ecdsa-p256', validity: { ca: 20 * 8760, leaf: 10 * 8760, crl: 90 * 24 } },
  layout: 'fhs',
} as const;

/** Their sections below `kubernetes:`. */
export const componentKeys = {
  'kube-apiserver': 'apiserver',
  'kube-controller-manager': 'controllerManager',
  'kube-scheduler': 'scheduler',
} as const satisfies Record<ControlPlaneComponent, string>;

/** What cluster.yaml names files for, and that is part of the cluster itself: their texts. */
export interface FileTexts {
  readonly auditPolicy?: string;
}

/** A draft without mistakes, with every default filled in. */
export function complete(draft: Draft, home: Home, texts: FileTexts = {}): Cluster {
  const { parallel, maxClockSkew } = { ...defaults.ssh, ...given(draft.ssh ?? {}) };
  return {
    name: draft.name ?? '',
    hosts: known(draft.hosts).map((host) => completeHost(host, draft, home)),
    ssh: { parallel, maxClockSkew },
    etcd: completeEtcd(draft, home),
    kubernetes: completeKubernetes(draft, home, texts),
    ...given({ endpoint: completeEndpoint(draft) }),
    pki: {
      key: draft.pki?.key ?? defaults.pki.key,
      validity: { ...defaults.pki.validity, ...given(draft.pki?.validity ?? {}) },
      subject: given(draft.pki?.subject ?? {}),
      reserve: known(draft.pki?.reserve),
      offline: known(draft.pki?.offline),
      extraSans: Object.fromEntries(
        Object.entries(draft.pki?.extraSans ?? {}).map(([name, sans]) => [name, known(sans)]),
      ),
    },
    paths: completePaths(draft),
    folder: home.folder,
  };
}

function completeHost(host: HostDraft, draft: Draft, home: Home): ClusterHost {
  const address = host.address ?? '';
  const {
    parallel: _parallel,
    maxClockSkew: _skew,
    ...common
  } = { ...defaults.ssh, ...given(draft.ssh ?? {}) };
  const ssh = { host: address, ...common, ...given(host.ssh ?? {}) };
  for (const key of ['identityFile', 'passphraseFile', 'knownHosts', 'sudoPasswordFile'] as const) {
    if (ssh[key] !== undefined) ssh[key] = localPath(ssh[key], home);
  }
  return {
    name: host.name ?? '',
    address,
    roles: host.roles === undefined ? defaults.roles : known(host.roles),
    architecture: host.architecture ?? defaults.architecture,
    ssh: ssh as SshSettings,
  };
}

function completeEtcd(draft: Draft, home: Home): EtcdSettings {
  const { heartbeatInterval, electionTimeout, metricsUrl, source, environment, version, ...rest } = {
    ...defaults.etcd,
    ...given(draft.etcd ?? {}),
  };
  return {
    version: version ?? '',
    token: draft.name ?? '',
    ...rest,
    source: completeSource(source, home),
    ...(metricsUrl === 'off' ? {} : { metricsUrl }),
    heartbeatMs: heartbeatInterval,
    electionMs: electionTimeout,
    environment: given(environment ?? {}) as Record<string, string>,
  };
}

function completeKubernetes(
  { kubernetes = {} }: Draft,
  home: Home,
  { auditPolicy }: FileTexts,
): KubernetesSettings {
  const d = defaults.kubernetes;
  const { encryption, audit } = kubernetes;
  const { provider, resources } = { ...d.encryption, ...given(encryption ?? {}) };
  const { policy, ...limits } = audit ?? {};
  const component = (name: ControlPlaneComponent): ComponentSettings => ({
    user: kubernetes[componentKeys[name]]?.user ?? d.users[name],
    flags: Object.fromEntries(
      Object.entries(kubernetes[componentKeys[name]]?.flags ?? {}).map(([flag, values]) => [
        flag,
        known(values),
      ]),
    ),
  });
  return {
    ...given({ version: kubernetes.version }),
    source: completeSource(kubernetes.source, home),
    serviceCidr: kubernetes.serviceCidr ?? d.serviceCidr,
    podCidr: kubernetes.podCidr ?? d.podCidr,
    dnsDomain: kubernetes.dnsDomain ?? d.dnsDomain,
    apiserverPort: kubernetes.apiserverPort ?? d.apiserverPort,
    shutdownDelay: kubernetes.shutdownDelay ?? d.shutdownDelay,
    ...(provider === 'off' ? {} : { encryption: { provider, resources: known(resources) } }),
    ...(policy === 'off' ? {} : { audit: { ...d.audit, ...given({ ...limits, policy: auditPolicy }) } }),
    components: {
      'kube-apiserver': component('kube-apiserver'),
      'kube-controller-manager': component('kube-controller-manager'),
      'kube-scheduler': component('kube-scheduler'),
    },
  };
}

function completeSource(source: NonNullable<Draft['etcd']>['source'], home: Home): BinarySource {
  const { path, url, sha256, sha512 } = source ?? {};
  const pins = given({ sha256, sha512 });
  if (path !== undefined) return { kind: 'file', path: localPath(path, home), ...pins };
  return { kind: 'download', ...given({ url }), ...pins };
}

function completeEndpoint({ endpoint, kubernetes }: Draft): Endpoint | undefined {
  if (endpoint?.address === undefined) return undefined;
  const { address, loadBalancer, interface: device } = endpoint;
  const apiserverPort = kubernetes?.apiserverPort ?? defaults.kubernetes.apiserverPort;
  const port = endpoint.port ?? (loadBalancer === undefined ? apiserverPort : defaults.endpoint.balancedPort);
  return { address, port, ...given({ loadBalancer, interface: device }) };
}

export function completePaths({ paths }: Draft): Paths {
  const layout = layouts[paths?.layout ?? defaults.layout];
  return {
    units: paths?.units ?? layout.units,
    etcd: { ...layout.etcd, ...given(paths?.etcd ?? {}) },
    kubernetes: { ...layout.kubernetes, ...given(paths?.kubernetes ?? {}) },
  };
}

/** Without the keys that are undefined, so that they do not hide a default. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, entry]) => entry !== undefined)) as never;
}

function known<T>(values: readonly (T | undefined)[] | undefined): T[] {
  return (values ?? []).filter((entry) => entry !== undefined);
}
