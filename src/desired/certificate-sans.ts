import ipaddr from 'ipaddr.js';
import type { LeafEntry, SanSource } from '../../pki/entry.ts';
import { type San, toSan } from '../../pki/san.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';

interface SanContext {
  readonly cluster: Cluster;
  readonly entry: LeafEntry;
  readonly host: ClusterHost | undefined;
  /** The certificate's id. */
  readonly id: string;
}

/** In the order of the entry's sources, each name once. */
export function subjectAlternativeNames(
  cluster: Cluster,
  entry: LeafEntry,
  host: ClusterHost | undefined,
  id: string,
): readonly San[] {
  const names = entry.sans.flatMap((source) => sources[source]({ cluster, entry, host, id }));
  return [...new Set(names)].map(toSan);
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
    kubernetes.serviceCidr.split(',').map((cidr) => firstAddress(cidr.trim())),
  endpoint: ({ cluster: { endpoint } }) => (endpoint === undefined ? [] : [endpoint.address]),
  reserved: ({ cluster: { pki } }) => pki.reserve,
  extra: ({ cluster: { pki }, entry, id }) => [
    ...(pki.extraSans[entry.id] ?? []),
    ...(id === entry.id ? [] : (pki.extraSans[id] ?? [])),
  ],
};

/** The address after the network's own: `10.96.0.0/12` → `10.96.0.1`, `fd00:10:96::/108` → `fd00:10:96::1`. */
export function firstAddress(cidr: string): string {
  const family = cidr.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
  const bytes = family.networkAddressFromCIDR(cidr).toByteArray();
  // A network of two addresses or more begins with an even one, so nothing carries over.
  bytes.push((bytes.pop() ?? 0) | 1);
  return ipaddr.fromByteArray(bytes).toString();
}
