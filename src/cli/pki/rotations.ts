import type { RotationKind } from '../../ca/rotation.ts';
import type { Store } from '../../ca/store.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { PlannedCluster } from '../../diff/plan.ts';
import type { Connect } from '../../remote/host.ts';
import type { DeployName } from '../deploy-kinds.ts';

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
   * What is left to be done after the deploys of that phase, before it is proven: waiting for what Kubernetes publishes by
   * itself, taking back what it never takes back. Called again by later runs, as long as the phase is not proven.
   */
  finish?(phase: number): Promise<void>;
  /**
   * What is to be noted as soon as that phase is proven on every host, by whichever run finds it so first: since when the
   * old key signs nothing. Called again by later runs; never for `status`.
   */
  proven?(phase: number): Promise<void>;
}

export interface HostProof {
  readonly host: string;
  readonly proven: boolean;
  /** What was seen, in a clause: `etcd serves a certificate of the new CA`, `etcd runs with former settings`. */
  readonly says: string;
  /**
   * The phase that the host was seen to be in, as `prove` is given one; undefined: cannot be told, or none of them. A host
   * that is behind at rest has not been told of the end of the last rotation, which is then carried on.
   */
  readonly phase?: number;
  /** false: the host does not answer, and nothing is known of it. */
  readonly reached?: false;
}

/** What a rotation has to do with. */
export interface RotationRun {
  readonly cluster: Cluster;
  readonly store: Store;
  /** One connection per host however often it is asked for; the caller closes them. */
  readonly connect: Connect;
  readonly now: () => Date;
  /** The whole cluster's plan, and what was seen on each host, as of the first call. Nothing is changed for it. */
  readonly look: () => Promise<PlannedCluster>;
  /** A line for whoever watches. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** Options that let a gate pass; each names what it gives up. */
  readonly allow: RotationAllowances;
}

/**
 * What a CA's rotation may be stopped before: the phase `issue`, or the end. Each asks something of its own, so what is said
 * of the one is never taken for an answer to the other, in `--all` least of all.
 */
export const gates = ['issue', 'end'] as const;
export type Gate = (typeof gates)[number];

export interface RotationAllowances {
  /** CA: what was handed out and depends on the old CA stops working: kubeconfigs, certificates that have not expired. */
  readonly dropUnexpired?: Gate;
  /** kubernetes-ca: somebody has seen to the nodes, which kbin does not look after. */
  readonly nodesReady?: Gate;
  /** service-account: tokens that the old key signed and that may still live stop being accepted. */
  readonly dropTokens: boolean;
}

export type OpenRotation = (run: RotationRun) => LiveRotation;
