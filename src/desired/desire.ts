import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import type { Component, DesireInputs, Need } from './component.ts';
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
  const wanted = componentsOf(cluster, host).filter(({ name }) => inputs.only?.includes(name) ?? true);
  refuseMissing(
    wanted.flatMap((component) => missingFrom(inputs.store, component.needs(cluster, host))),
    host.name,
  );
  return { host: host.name, components: wanted.map((component) => component.desire(cluster, host, inputs)) };
}

export function componentsOf(cluster: Cluster, host: ClusterHost): readonly Component[] {
  return components.filter((component) => component.isWanted(cluster) && host.roles.includes(component.role));
}

/** Throws one KbinError that names every certificate and key that some host's component (of `only`) needs and the store lacks. */
export function requireCertificates(cluster: Cluster, store: StoreView, only?: readonly string[]): void {
  const needed = components
    .filter((component) => component.isWanted(cluster) && (only?.includes(component.name) ?? true))
    .flatMap((component) =>
      hostsWithRole(cluster, component.role).flatMap((host) => component.needs(cluster, host)),
    );
  refuseMissing(missingFrom(store, needed));
}

function missingFrom(store: StoreView, needs: readonly Need[]): string[] {
  const missing = needs.flatMap(({ id, what }) => {
    if (what === 'encryption') return store.encryptionKeys().length === 0 ? ['the encryption key'] : [];
    if (what === 'revocations') {
      const revocations = store.revocations(id);
      return revocations !== undefined && revocations.list === undefined
        ? [`the revocation list of ${id}`]
        : [];
    }
    if (what !== 'key' && store.certificate(id) === undefined) return [id];
    return what !== 'certificate' && store.key(id) === undefined ? [`the key of ${id}`] : [];
  });
  return [...new Set(missing)];
}

function refuseMissing(missing: readonly string[], host?: string): void {
  if (missing.length === 0) return;
  throw new KbinError(`the certificate store lacks ${missing.join(', ')}`, {
    ...(host === undefined ? {} : { host }),
    step: 'read the certificate store',
    why: 'the certificates were not made yet, or the cluster has got hosts since',
    next: 'run `kbin pki init`: it makes what is missing, or says what keeps it from that',
  });
}
