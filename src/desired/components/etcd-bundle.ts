import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { bundleDigest } from '../bundle.ts';
import type { DesiredBundle, DesiredFile } from '../desired.ts';
import { textContent } from '../digest.ts';
import { keyOf, pemOf, trustedPem } from '../from-store.ts';
import type { StoreView } from '../store-view.ts';

/**
 * The folder of etcd's certificates, switched as one. etcd reads its own certificates anew at every handshake
 * (https://etcd.io/docs/v3.6/op-guide/security/), the CA only when it starts. The healthcheck client is for etcdctl.
 */
export function etcdBundle(cluster: Cluster, host: ClusterHost, store: StoreView): DesiredBundle {
  const owner = { owner: cluster.etcd.user, group: cluster.etcd.group };
  const leaf = (name: string, id: string): DesiredFile[] => [
    { path: `${name}.crt`, mode: 0o644, ...owner, content: textContent(pemOf(store, id)), effect: 'none' },
    {
      path: `${name}.key`,
      mode: 0o600,
      ...owner,
      content: { kind: 'secret', ...keyOf(store, id) },
      effect: 'none',
    },
  ];
  const files: DesiredFile[] = [
    {
      path: 'ca.crt',
      mode: 0o644,
      ...owner,
      content: textContent(trustedPem(store, 'etcd-ca')),
      effect: 'restart',
    },
    ...leaf('server', `etcd-server@${host.name}`),
    ...leaf('peer', `etcd-peer@${host.name}`),
    ...leaf('healthcheck-client', 'etcd-healthcheck-client'),
  ];
  return { path: cluster.paths.etcd.tls, mode: 0o700, ...owner, files, digest: bundleDigest(files) };
}
