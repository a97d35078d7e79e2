import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { bundleDigest } from '../bundle.ts';
import type { DesiredBundle, DesiredFile } from '../desired.ts';
import { bytesContent, textContent } from '../digest.ts';
import { keyOf, pemOf, trustedPem } from '../from-store.ts';
import type { StoreView } from '../store-view.ts';

/** In DER, which is what every release reads; from 3.6 on it is the only form (etcd-io/etcd#17106). */
export const revocationListName = 'crl.der';

/** Only where something was revoked: a cluster without that has neither the file nor the setting. */
function revocationList(store: StoreView): readonly string[] {
  const list = store.revocations('etcd-ca')?.list;
  return list === undefined ? [] : [list];
}

/**
 * The folder of etcd's certificates, switched as one. etcd reads its own certificates anew at every handshake
 * (https://etcd.io/docs/v3.6/op-guide/security/), the CA only when it starts; the
 * revocation list at every handshake too, whose dates and signature it does not look at (listener_tls.go, checkCRL). The healthcheck client is for etcdctl.
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
    ...revocationList(store).map((base64) => ({
      path: revocationListName,
      mode: 0o644,
      ...owner,
      content: bytesContent(base64),
      effect: 'none' as const,
    })),
  ];
  return { path: cluster.paths.etcd.tls, mode: 0o700, ...owner, files, digest: bundleDigest(files) };
}
