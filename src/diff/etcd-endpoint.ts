import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { etcdUnit } from '../desired/components/etcd.ts';
import { clientUrls } from '../desired/components/etcd-urls.ts';
import type { Observed } from '../observe/observed.ts';

/**
 * Where the etcd that runs on the host serves its clients, when that is not where cluster.yaml has it: `etcd.clientPort`
 * was changed, and the process has not been restarted since. Its file may well be changed already.
 */
export function formerClientUrl(
  cluster: Cluster,
  host: ClusterHost,
  observed: Observed | undefined,
): string | undefined {
  const advertised = observed?.units.get(etcdUnit)?.process?.settings.ETCD_ADVERTISE_CLIENT_URLS ?? '';
  const urls = advertised.split(',').filter((url) => url.startsWith('https://'));
  return urls.includes(clientUrls(cluster, host)) ? undefined : urls[0];
}
