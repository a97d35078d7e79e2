import type { RotationKind } from '../ca/rotation.ts';
import type { Store } from '../ca/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';

/** A rotation together with the cluster that it is carried out on. */
export interface LiveRotation {
  readonly kind: RotationKind;
  /** The deploys that bring a phase to the hosts, in their order. */
  readonly deploys: readonly DeployName[];
  /**
   * Whether the phase (an index, or `atRest` for what comes after the last) is in force, host by host: by the files
   * there, by what the running processes were started with, and on the wire. One entry for every host concerned; one that
   * does not answer is not proven. Changes nothing.
   */
  prove(phase: number): Promise<readonly HostProof[]>;
  /**
   * What has to be done, or to be so, before that phase is left, once it is proven on every host: Secrets are rewritten,
   * tokens have ended. From `atRest`: before the first one begins. A KbinError stops.
   */
  before?(phase: number): Promise<void>;
  /**
   * What is to be noted as soon as that phase is proven on every host, by whichever run finds it so first: since when the
   * old key signs nothing. Called again by later runs; never for `status`.
   */
  proven?(phase: number): Promise<void>;
}

export type DeployName = 'etcd' | 'control-plane';

export interface HostProof {
  readonly host: string;
  readonly proven: boolean;
  /** What was seen, in a clause: `etcd serves a certificate of the new CA`, `etcd runs with former settings`. */
  readonly says: string;
}

/** What a rotation has to do with. */
export interface RotationRun {
  readonly cluster: Cluster;
  readonly store: Store;
  /** One connection per host however often it is asked for; the caller closes them. */
  readonly connect: Connect;
  readonly now: () => Date;
  /** A line for whoever watches. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** Options that let a gate pass; each names what it gives up. */
  readonly allow: RotationAllowances;
}

export interface RotationAllowances {
  /** CA: certificates that the old CA signed on the spot and that have not expired stop being accepted. */
  readonly dropUnexpired: boolean;
  /** kubernetes-ca: Nodes whose kubelets may still show a certificate of the old CA are cut off. */
  readonly dropNodes: boolean;
  /** service-account: tokens that the old key signed and that may still live stop being accepted. */
  readonly dropTokens: boolean;
}
