import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { revocationListName } from '../desired/components/etcd-bundle.ts';
import { bytesContent } from '../desired/digest.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { Observed } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';

/** What the apiserver of a host shows etcd when it connects: the certificate in its file. */
export interface EtcdClientReading {
  readonly host: string;
  /** Serial number, upper-case hex; undefined: there is no such file, or no certificate in it. */
  readonly serial?: string;
  /** Why the host could not be asked. */
  readonly failure?: string;
}

/** Whether a member would get a revocation list that it does not have. */
export function bringsList(
  cluster: Cluster,
  store: StoreView,
  observed: ReadonlyMap<string, Observed>,
): boolean {
  const list = store.revocations('etcd-ca')?.list;
  if (list === undefined) return false;
  const { sha256 } = bytesContent(list);
  const path = `${cluster.paths.etcd.tls}/${revocationListName}`;
  return hostsWithRole(cluster, 'etcd').some(({ name }) => {
    const host = observed.get(name);
    return host !== undefined && host.paths.get(path)?.sha256 !== sha256;
  });
}

/** Apiservers that the list would shut out of etcd, all at once: they have to come with another certificate first. */
export function revokedClients(store: StoreView, readings: readonly EtcdClientReading[]): PlanFinding[] {
  const serials = store.revocations('etcd-ca')?.serials ?? [];
  return readings.flatMap(({ host, serial, failure }): PlanFinding[] => {
    if (failure !== undefined) {
      const message = `whether its apiserver still has a certificate that etcd will refuse is not known: ${failure}`;
      const next = 'run `kbin control-plane deploy` when it is back';
      return [{ severity: 'warning', host, code: 'client-unknown', message, next }];
    }
    if (serial === undefined || !serials.includes(serial)) return [];
    const message = `its apiserver shows etcd a certificate that was revoked (${serial}), and would be refused from here on`;
    const next = 'run `kbin control-plane deploy` first: it brings the one in its place';
    return [{ severity: 'stop', host, code: 'client-revoked', message, next }];
  });
}
