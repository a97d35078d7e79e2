import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import type { Component, DesireInputs } from './component.ts';
import { components } from './components/index.ts';
import type { DesiredHost } from './desired.ts';
import type { StoreView } from './store-view.ts';

export type { Binaries, DesireInputs } from './component.ts';

/**
 * What should exist on a host. Pure: the same cluster, host and inputs give the same result, and nothing is read from
 * anywhere else. Throws KbinError when the store lacks a certificate of the host (see `requireCertificates` for all
 * hosts together), or when a value of cluster.yaml cannot be written into its file.
 */
export function desire(cluster: Cluster, host: ClusterHost, inputs: DesireInputs): DesiredHost {
  const wanted = componentsOf(host);
  refuseMissing(
    wanted.flatMap((component) => missingFrom(inputs.store, component.certificates(host))),
    host.name,
  );
  return { host: host.name, components: wanted.map((component) => component.desire(cluster, host, inputs)) };
}

export function componentsOf(host: ClusterHost): readonly Component[] {
  return components.filter((component) => host.roles.includes(component.role));
}

/** Throws one KbinError that names every certificate and key that some host's component needs and the store lacks. */
export function requireCertificates(cluster: Cluster, store: StoreView): void {
  const needed = components.flatMap((component) =>
    hostsWithRole(cluster, component.role).flatMap((host) => component.certificates(host)),
  );
  refuseMissing(missingFrom(store, [...new Set(needed)]));
}

interface Missing {
  readonly id: string;
  readonly what: 'certificate' | 'key';
}

function missingFrom(store: StoreView, ids: readonly string[]): Missing[] {
  return ids.flatMap((id): Missing[] => {
    if (store.certificate(id) === undefined) return [{ id, what: 'certificate' }];
    return isAuthority(id) || store.key(id) !== undefined ? [] : [{ id, what: 'key' }];
  });
}

/** CA keys stay with the operator: components take the certificate alone. */
function isAuthority(id: string): boolean {
  return id.endsWith('-ca');
}

function refuseMissing(missing: readonly Missing[], host?: string): void {
  if (missing.length === 0) return;
  const names = missing.map(({ id, what }) => (what === 'key' ? `the key of ${id}` : id));
  throw new KbinError(`the certificate store lacks ${names.join(', ')}`, {
    ...(host === undefined ? {} : { host }),
    step: 'read the certificate store',
    why: 'the certificates were not made yet, or the cluster has got hosts since',
    next: 'run `kbin pki init`: it makes what is missing, or says what keeps it from that',
  });
}
