import type { ClusterHost } from '../src/cluster/cluster.ts';
import type { ProfileName } from './profiles.ts';

/** One certificate authority and the certificates it signs: a file of this folder each. */
export interface AuthorityEntry {
  readonly id: string;
  readonly purpose: string;
  readonly commonName: string;
  readonly profile: 'authority';
  /** O of a client certificate of this CA is the client's group: it never comes out of cluster.yaml. */
  readonly organizationIsGroup?: true;
  /** What whoever has a client certificate of this CA may do, whatever it is called: after `whoever has one …`. */
  readonly everyClient?: string;
  readonly leaves: readonly LeafEntry[];
}

/** A certificate for the whole cluster, or one for each host that has the role `per`. */
export interface LeafEntry {
  /** With `@HOST` after it where there is one per host. */
  readonly id: string;
  readonly purpose: string;
  readonly per: 'cluster' | 'etcd' | 'control-plane';
  readonly commonName: string | ((host: ClusterHost) => string);
  /** A client's group in Kubernetes. `pki.subject.O` never takes its place. */
  readonly organization?: string;
  readonly profile: Exclude<ProfileName, 'authority'>;
  /** By what those who verify it know whom they have before them. Absent: by its CA alone, or by its SANs. */
  readonly identifiedBy?: 'CN' | 'O';
  /** In the order they stand in the certificate. */
  readonly sans: readonly SanSource[];
  /** Of those, what nobody depends on: a certificate that was made elsewhere does its job without. */
  readonly spare?: readonly SanSource[];
}

/** Where subject alternative names come from; src/desired/certificates.ts says what each means. */
export type SanSource =
  | 'host-name'
  | 'host-address'
  | 'localhost'
  | '127.0.0.1'
  | '::1'
  /** kubernetes, kubernetes.default, kubernetes.default.svc, kubernetes.default.svc.DOMAIN */
  | 'service-names'
  /** The first address of each service CIDR, which the service `kubernetes` gets. */
  | 'service-address'
  /** VIP, load balancer or DNS name in front of the apiservers. */
  | 'endpoint'
  /** `pki.reserve`: hosts to come. */
  | 'reserved'
  /** `pki.extraSans` under this certificate's id or its entry's. */
  | 'extra';

export interface KeyPairEntry {
  readonly id: string;
  readonly purpose: string;
}

/** Keys of 256 random bits that encrypt, with names and in an order (src/ca/key-ring.ts). */
export interface KeyRingEntry {
  readonly id: string;
  readonly purpose: string;
}

export const hostName = (host: ClusterHost): string => host.name;
