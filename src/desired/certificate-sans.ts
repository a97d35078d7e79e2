import type { LeafEntry, SanSource } from '../../pki/entry.ts';
import { type San, toSan } from '../../pki/san.ts';
import { nthAddress } from '../cluster/address.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';

interface SanContext {
  readonly cluster: Cluster;
  readonly entry: LeafEntry;
  readonly host: ClusterHost | undefined;
  /** The certificate's id. */
  readonly id: string;
}

/** In the order of the entry's sources, each name once; and those that somebody depends on. */
export function subjectAlternativeNames(
  cluster: Cluster,
  entry: LeafEntry,
  host: ClusterHost | undefined,
  id: string,
): { readonly sans: readonly San[]; readonly needed: readonly San[] } {
  const of = (wanted: readonly SanSource[]): readonly San[] => {
    const names = wanted.flatMap((source) => sources[source]({ cluster, entry, host, id }));
    return [...new Set(names)].map(toSan);
  };
  return {
    sans: of(entry.sans),
    needed: of(entry.sans.filter((source) => entry.spare?.includes(source) !== true)),
  };
}

const sources: Record<SanSource, (context: SanContext) => readonly string[]> = {
  'host-name': ({ host }) => (host === undefined ? [] : [host.name]),
  'host-address': ({ host }) => (host === undefined ? [] : [host.address]),
  localhost: () => ['localhost'],
  '127.0.0.1': () => ['127.0.0.1'],
  '::1': () => ['::1'],
  'service-names': ({ cluster: { kubernetes } }) => [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${kubernetes.dnsDomain}`,
  ],
  'service-address': ({ cluster: { kubernetes } }) =>
    kubernetes.serviceCidr.split(',').map((cidr) => nthAddress(cidr.trim(), 1)),
  endpoint: ({ cluster: { endpoint } }) => (endpoint === undefined ? [] : [endpoint.address]),
  reserved: ({ cluster: { pki } }) => pki.reserve,
  extra: ({ cluster: { pki }, entry, id }) => [
    ...(pki.extraSans[entry.id] ?? []),
    ...(id === entry.id ? [] : (pki.extraSans[id] ?? [])),
  ],
};
