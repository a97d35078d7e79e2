import type { Cluster, ClusterHost, Role } from '../cluster/cluster.ts';
import type { HostFacts } from '../observe/observed.ts';
import type { Joining } from './components/etcd-joining.ts';
import type { DesiredComponent } from './desired.ts';
import type { StoreView } from './store-view.ts';

/** What desired state depends on besides the cluster. */
export interface DesireInputs {
  readonly store: StoreView;
  /** What the host tells about itself; undefined where no host is asked (`kbin render`). */
  readonly facts?: HostFacts;
  /** Names of components to speak of, where a run is about some only. Default: all that the host should have. */
  readonly only?: readonly string[];
  /** Name → binary for the host's architecture. Undefined: nothing is said about binaries (`kbin render`). */
  readonly binaries?: Binaries;
  /** How the host's etcd member joins or joined. Default: a new cluster. */
  readonly joining?: Joining;
}

export type Binaries = ReadonlyMap<
  string,
  { readonly path: string; readonly sha256: string; readonly size: number }
>;

/** A program that kbin installs. src/desired/components/index.ts lists them all. */
export interface Component {
  readonly name: string;
  /** The hosts that get it. */
  readonly role: Role;
  /** Whether this cluster has it at all. */
  readonly isWanted: (cluster: Cluster) => boolean;
  /** The programs that it brings, for those who put them there themselves. */
  readonly programs: (cluster: Cluster) => Programs;
  /** What the component takes from the certificate store on this host. */
  readonly needs: (cluster: Cluster, host: ClusterHost) => readonly Need[];
  /** Pure. Throws KbinError when the store lacks a certificate or a setting cannot be written. */
  readonly desire: (cluster: Cluster, host: ClusterHost, inputs: DesireInputs) => DesiredComponent;
}

/**
 * `leaf`: a certificate with its key. `encryption`: the keys that encrypt in etcd, at least one. `revocations`: the list of
 * a CA that has revoked something.
 */
export interface Need {
  readonly id: string;
  readonly what: 'leaf' | 'certificate' | 'key' | 'encryption' | 'revocations';
}

export interface Programs {
  /** Absolute folder on the host. */
  readonly folder: string;
  readonly names: readonly string[];
  /** `etcd 3.6.5`. */
  readonly release: string;
}
