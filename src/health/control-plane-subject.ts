import { X509Certificate } from 'node:crypto';
import {
  type Cluster,
  type ControlPlaneComponent,
  controlPlaneComponents,
  hostsWithRole,
} from '../cluster/cluster.ts';
import type { StoreView } from '../desired/store-view.ts';
import { KbinError } from '../errors.ts';
import type { Connect } from '../remote/host.ts';
import { type ApiCredentials, type ApiTarget, apiCredentials, apiTargets } from './api-target.ts';
import type { CredentialSource } from './client-credentials.ts';
import {
  type ComponentTarget,
  componentTargets,
  defaultPorts,
  type ListeningComponent,
} from './component-target.ts';
import { dialThrough } from './dial.ts';
import type { WantedObject } from './objects.ts';
import { etcdCredentials, etcdTargetsEitherWay } from './of-cluster.ts';
import type { Dial, EtcdCredentials, EtcdTarget } from './target.ts';

/** A control plane as it should be, and how to get to what there is of it. */
export interface ControlPlaneSubject {
  readonly hosts: readonly ControlPlaneHost[];
  readonly etcd: readonly EtcdTarget[];
  /** major.minor.patch without `v`. */
  readonly version: string;
  /** How Secrets should lie in etcd; undefined: in plain text. */
  readonly encryption?: { readonly provider: string; readonly key?: string };
  /** --etcd-prefix of the apiservers. */
  readonly etcdPrefix: string;
  /** Components whose instances work without electing one. */
  readonly unelected: readonly ListeningComponent[];
  readonly objects: readonly WantedObject[];
  /** Certificates that clients of this cluster show, as far as kbin issued them for the cluster itself. */
  readonly clients: readonly { readonly id: string; readonly certificate: X509Certificate }[];
  readonly credentials: ControlPlaneCredentials;
}

export interface ControlPlaneHost {
  readonly name: string;
  readonly api: ApiTarget;
  readonly components: readonly ComponentTarget[];
  /** SHA-256 fingerprints of the serving certificates in the store. */
  readonly issued: Readonly<Partial<Record<ControlPlaneComponent, string>>>;
  /** Through the host, as its apiserver goes. */
  readonly through: Dial;
  /** What the host calls itself: leases have that name. */
  readonly hostName: () => Promise<string>;
}

/** A text instead of credentials says why there are none here. */
export interface ControlPlaneCredentials {
  /** The administrator's; where they are not here, only the CA: what anybody may ask is asked then. */
  readonly api: ApiCredentials;
  /** Why `api` is nobody's. */
  readonly anonymous?: string;
  readonly etcd: EtcdCredentials | string;
  /** What the apiservers show to etcd. */
  readonly etcdClient: EtcdCredentials | string;
}

/**
 * The control plane that cluster.yaml describes. Throws KbinError where the store has no CA to verify anything with, and a
 * plain Error where cluster.yaml wants no control plane.
 */
export async function controlPlaneSubject(
  cluster: Cluster,
  store: CredentialSource,
  connect: Connect,
  objects: readonly WantedObject[],
): Promise<ControlPlaneSubject> {
  const { version, encryption, components } = cluster.kubernetes;
  if (version === undefined) throw new Error('cluster.yaml names no kubernetes.version');
  const view = store.view();
  const apis = apiTargets(cluster, connect);
  const others = componentTargets(cluster, connect);
  const key = view.encryptionKeys()[0]?.name;
  return {
    hosts: hostsWithRole(cluster, 'control-plane').flatMap(({ name }) =>
      apis
        .filter((api) => api.name === name)
        .map((api) => ({
          name,
          api,
          components: others.filter((component) => component.name === name),
          issued: issuedTo(name, view),
          through: dialThrough(() => connect(name)),
          hostName: async () => (await (await connect(name)).run(['uname', '-n'])).stdout.trim(),
        })),
    ),
    etcd: etcdTargetsEitherWay(cluster, connect),
    version,
    ...(encryption?.resources.includes('secrets')
      ? { encryption: { provider: encryption.provider, ...(key === undefined ? {} : { key }) } }
      : {}),
    etcdPrefix: etcdPrefixOf(cluster),
    unelected: (Object.keys(defaultPorts) as ListeningComponent[]).filter(
      (component) => components[component].flags['leader-elect']?.at(-1) === 'false',
    ),
    objects,
    clients: clientIds.flatMap((id) => {
      const pem = view.certificate(id)?.pem;
      return pem === undefined ? [] : [{ id, certificate: new X509Certificate(pem) }];
    }),
    credentials: await credentialsOf(store, view),
  };
}

/** Below what in etcd the apiservers keep everything: with a slash before it and none behind, as they do it. */
export function etcdPrefixOf({ kubernetes }: Cluster): string {
  const chosen = kubernetes.components['kube-apiserver'].flags['etcd-prefix']?.at(-1) ?? 'registry';
  return `/${chosen.replaceAll(/^\/+|\/+$/g, '')}`;
}

/** In kubeconfigs, and those that an apiserver shows to others. */
const clientIds = [
  'admin',
  'controller-manager',
  'scheduler',
  'apiserver-etcd-client',
  'apiserver-kubelet-client',
  'front-proxy-client',
] as const;

const servers: Readonly<Record<ControlPlaneComponent, string>> = {
  'kube-apiserver': 'apiserver',
  'kube-controller-manager': 'controller-manager-server',
  'kube-scheduler': 'scheduler-server',
};

function issuedTo(host: string, view: StoreView): Partial<Record<ControlPlaneComponent, string>> {
  return Object.fromEntries(
    controlPlaneComponents.flatMap((component) => {
      const pem = view.certificate(`${servers[component]}@${host}`)?.pem;
      return pem === undefined ? [] : [[component, new X509Certificate(pem).fingerprint256]];
    }),
  );
}

async function credentialsOf(store: CredentialSource, view: StoreView): Promise<ControlPlaneCredentials> {
  const [api, etcd, etcdClient] = await Promise.all([
    orReason(() => apiCredentials(store)),
    orReason(() => etcdCredentials(store)),
    orReason(() => etcdCredentials(store, 'apiserver-etcd-client')),
  ]);
  if (typeof api !== 'string') return { api, etcd, etcdClient };
  const ca = view.trusted('kubernetes-ca');
  if (ca === undefined) {
    throw new KbinError(
      'the certificate store has no kubernetes-ca, so no apiserver can be told from another',
      {
        why: api,
        next: 'run `kbin pki init`, or work on the machine that has the pki folder',
      },
    );
  }
  return { api: { ca }, anonymous: api, etcd, etcdClient };
}

async function orReason<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return error.message;
  }
}
