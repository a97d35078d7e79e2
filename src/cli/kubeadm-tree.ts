import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { authorities } from '../../pki/index.ts';
import { pathsOf } from '../ca/layout.ts';
import type { Store } from '../ca/store.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { pemOf, trustedPem } from '../desired/from-store.ts';
import { KbinError } from '../errors.ts';

/** A file of kubeadm's tree; `path` is below /etc/kubernetes/pki. */
export interface KubeadmFile {
  readonly path: string;
  readonly mode: 0o600 | 0o644;
  readonly bytes: Uint8Array;
}

/** Where the certificates of the store lie in kubeadm's tree; keys beside them. */
function certificates({ name, roles }: ClusterHost, etcd: Etcd): readonly (readonly [string, string])[] {
  return [
    ['ca', 'kubernetes-ca'],
    ['front-proxy-ca', 'front-proxy-ca'],
    ['apiserver', `apiserver@${name}`],
    ['apiserver-kubelet-client', 'apiserver-kubelet-client'],
    ['front-proxy-client', 'front-proxy-client'],
    ['apiserver-etcd-client', 'apiserver-etcd-client'],
    ...(etcd === 'external'
      ? []
      : ([
          ['etcd/ca', 'etcd-ca'],
          ['etcd/healthcheck-client', 'etcd-healthcheck-client'],
        ] as const)),
    ...(etcd === 'external' || !roles.includes('etcd')
      ? []
      : ([
          ['etcd/server', `etcd-server@${name}`],
          ['etcd/peer', `etcd-peer@${name}`],
        ] as const)),
  ];
}

/** `external`: kubeadm is told where etcd is, and gets of its certificates what the apiserver needs. */
type Etcd = 'external' | 'whole';

/**
 * kubeadm's tree of a control-plane host. A CA whose key is kept elsewhere comes without it, which kubeadm calls an external
 * CA. Throws KbinError when the store lacks a certificate, or the key of a leaf.
 */
export async function kubeadmTree(
  cluster: Cluster,
  store: Store,
  host: ClusterHost,
  etcd: Etcd,
): Promise<KubeadmFile[]> {
  const view = store.view();
  const keyless = keylessAuthorities(cluster, store);
  const pairs = await Promise.all(
    certificates(host, etcd).map(async ([place, id]): Promise<KubeadmFile[]> => {
      if (view.certificate(id) === undefined) throw lacking(id);
      const certificate = text(`${place}.crt`, pemOf(view, id));
      return keyless.includes(id)
        ? [certificate]
        : [certificate, secret(`${place}.key`, await keyBytes(store, id))];
    }),
  );
  const verifying = view.serviceAccountKeys().map(({ pem }) => pem);
  return [
    ...pairs.flat(),
    secret('sa.key', await keyBytes(store, 'service-account')),
    text('sa.pub', verifying.join('')),
    ...(etcd === 'external' ? [text('etcd/ca.crt', trustedPem(view, 'etcd-ca'))] : []),
  ];
}

/** CAs whose keys are kept elsewhere, or from hosts. */
export function keylessAuthorities({ pki }: Cluster, { folder }: Store): readonly string[] {
  const offline: readonly string[] = pki.offline;
  return authorities
    .map(({ id }) => id)
    .filter((id) => offline.includes(id) || !existsSync(join(folder, pathsOf(id).key)));
}

const text = (path: string, content: string): KubeadmFile => ({
  path,
  mode: 0o644,
  bytes: Buffer.from(content),
});
const secret = (path: string, bytes: Uint8Array): KubeadmFile => ({ path, mode: 0o600, bytes });

/** Bytes of a private key that kubeadm can read. */
async function keyBytes(store: Store, id: string): Promise<Uint8Array> {
  const key = store.view().key(id);
  if (key === undefined) throw lacking(`the key of ${id}`);
  return store.readSecret(key.ref);
}

function lacking(what: string): KbinError {
  return new KbinError(`the certificate store lacks ${what}`, {
    step: "make kubeadm's tree",
    next: 'run `kbin pki init`, or work on the machine that has the pki folder with its keys',
  });
}
