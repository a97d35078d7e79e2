import type { San } from '../../pki/san.ts';
import type { Usage } from '../../pki/usages.ts';
import type { KeyAlgorithm } from '../cluster/cluster.ts';

/** Every certificate and key pair that cluster.yaml needs; src/ca compares it with the store and makes what differs. */
export interface CertificatePlan {
  readonly authorities: readonly PlannedAuthority[];
  readonly keyPairs: readonly PlannedKeyPair[];
  readonly keyRings: readonly PlannedKeyRing[];
}

export interface PlannedAuthority extends PlannedCertificate {
  /** For how long a revocation list is good. */
  readonly revocationListHours: number;
  readonly leaves: readonly PlannedLeaf[];
}

export interface PlannedLeaf extends PlannedCertificate {
  /** Id of its entry in pki/, which is the id without `@HOST`. */
  readonly entry: string;
  readonly authority: string;
  /** Name of the host it is for; undefined: of the whole cluster. */
  readonly host?: string;
  readonly sans: readonly San[];
  /** Those of them under which it is reached by somebody who verifies; the rest is for convenience. */
  readonly needed: readonly San[];
}

interface PlannedCertificate {
  readonly id: string;
  readonly purpose: string;
  readonly subject: Subject;
  readonly key: KeyAlgorithm;
  readonly usages: readonly Usage[];
  readonly validityHours: number;
}

export interface PlannedKeyPair {
  readonly id: string;
  readonly purpose: string;
  readonly key: KeyAlgorithm;
}

export interface PlannedKeyRing {
  readonly id: string;
  readonly purpose: string;
}

/** In the order that cfssl writes them. */
export const subjectOrder = ['C', 'ST', 'L', 'O', 'OU', 'CN'] as const;
export type SubjectAttribute = (typeof subjectOrder)[number];

/** A distinguished name, each attribute in a set of its own. */
export type Subject = readonly { readonly type: SubjectAttribute; readonly value: string }[];
