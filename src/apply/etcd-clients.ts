import { X509Certificate } from 'node:crypto';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { bundlePath } from '../desired/components/kube-paths.ts';
import { componentsOf } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import { bringsList, type EtcdClientReading } from '../diff/etcd-clients.ts';
import { KbinError } from '../errors.ts';
import { readCertificateFiles } from '../observe/certificate-files.ts';
import type { Connect } from '../remote/host.ts';
import { inParallel } from '../remote/parallel.ts';
import { observedBy, type Survey } from './survey.ts';

/**
 * What the apiservers show etcd, on whatever hosts they are. Nobody is asked unless a member would get a revocation list
 * that it does not have.
 */
export async function readEtcdClients(
  cluster: Cluster,
  store: StoreView,
  looked: Survey,
  connect: Connect,
): Promise<readonly EtcdClientReading[]> {
  if (!bringsList(cluster, store, observedBy(looked))) return [];
  const hosts = hostsWithRole(cluster, 'control-plane').filter((host) =>
    componentsOf(cluster, host).some(({ name }) => name === 'kube-apiserver'),
  );
  const path = `${bundlePath(cluster, 'kube-apiserver')}/etcd-client.crt`;
  const settled = await inParallel(hosts, cluster.ssh.parallel, async ({ name }) => {
    const asked = { certificates: [path], kubeconfigs: [], secrets: [] };
    const file = (await readCertificateFiles(await connect(name), asked)).get(path);
    return file?.state === 'read' ? serialIn(file.pem ?? '') : undefined;
  });
  return settled.map((one): EtcdClientReading => {
    const host = one.item.name;
    if ('value' in one) return { host, ...(one.value === undefined ? {} : { serial: one.value }) };
    if (!(one.error instanceof KbinError)) throw one.error;
    return { host, failure: one.error.message };
  });
}

function serialIn(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).serialNumber;
  } catch {
    return undefined;
  }
}
