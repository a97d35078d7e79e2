import type { CertificatePlan } from '../desired/certificate-plan.ts';
import type { Store } from './store.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * A CA or a key that is replaced while the cluster runs on it: in phases, each of which is brought to every host by the
 * normal deploys and proven there before the next begins. Which phase it is follows from the files that there are in
 * pki/ (src/ca/layout.ts: next/, previous/); there is no other record, so none can be wrong.
 */
export interface RotationKind {
  /** As it is in pki/, and on the command line: `etcd-ca`, `service-account`, `encryption-key`. */
  readonly id: string;
  /** In their order. After the last comes rest: the new one is in use, and the old one is retired to archive/. */
  readonly phases: readonly RotationPhase[];
  /** Index of the present phase; -1 at rest, where no rotation is under way. Does not wait. */
  phase(files: StoreFiles): number;
  /**
   * Begins the next phase in the store: from rest the first, from the last rest. One transaction under the store's lock,
   * so that the phase is either the one or the other wherever this is cut off. Throws KbinError with the reason where
   * it must not be. The hosts are not asked: that the present phase is in force is the caller's to prove first.
   */
  advance(input: AdvanceInput): Promise<void>;
  /** When what is in use took the place of a former one, as far as that is known: UTC, to the day. Does not wait. */
  since?(files: StoreFiles): Date | undefined;
}

export interface RotationPhase {
  /** `trust`. One word, unique within its rotation. */
  readonly name: string;
  /** What is so while the phase is in force, in a clause: `both CAs are trusted everywhere, the old one signs`. */
  readonly says: string;
  /** What people have to do while it lasts, in a sentence without its end. */
  readonly meanwhile?: string;
}

export interface AdvanceInput {
  readonly plan: CertificatePlan;
  readonly store: Store;
  readonly now: Date;
  /** The index that `phase` gave when it was decided to go on: with another one by now, nothing is done. */
  readonly from: number;
  /** `kbin pki rotate etcd-ca`: who holds the store's lock. */
  readonly command: string;
}

/** No rotation is under way. */
export const atRest = -1;

/** The index after this one: from rest the first, after the last one rest. */
export function nextPhase({ phases }: Pick<RotationKind, 'phases'>, phase: number): number {
  return phase + 1 < phases.length ? phase + 1 : atRest;
}

/** `trust`; `rest` where no rotation is under way. */
export function phaseName({ phases }: Pick<RotationKind, 'phases'>, phase: number): string {
  return phases[phase]?.name ?? 'rest';
}
