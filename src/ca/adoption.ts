import type { Adopted } from './adopted.ts';
import type { CertificateInfo } from './inspect.ts';
import type { StoreFile } from './transaction.ts';

/** What an existing tree gives the store, and what is to be said of it. Pure data: --json prints it but for the files. */
export interface Adoption {
  readonly items: readonly AdoptionItem[];
  readonly findings: readonly AdoptionFinding[];
}

export interface AdoptionItem {
  /** Id in the plan, or `encryption-key`. */
  readonly id: string;
  /**
   * `adopt`: it is not in the store yet. `answer`: what a request of ours waits for. `next`: the same, for a CA where one
   * is in use already: the next one of a rotation. `replace`: asked for. `same`: the store has it.
   */
  readonly action: 'adopt' | 'answer' | 'next' | 'replace' | 'same';
  /** Where the certificate, or the key where there is none, was found; several where it is in several files. */
  readonly from: readonly string[];
  /** Where its key was found; undefined where it was not. */
  readonly keyFrom?: string;
  readonly certificate?: CertificateInfo;
  /** All that the certificate's file in the store holds then: it, and the CAs above. */
  readonly pem?: string;
  readonly key?: string;
  readonly files: readonly StoreFile[];
  /** Paths below pki/ that go. */
  readonly remove: readonly string[];
  readonly record?: Adopted;
}

export interface AdoptionFinding {
  /** `stop`: nothing is adopted while it is there. */
  readonly severity: 'stop' | 'warning' | 'note';
  readonly code: AdoptionCode;
  /** Id in the plan. */
  readonly id?: string;
  /** The files that it is about. */
  readonly places: readonly string[];
  readonly message: string;
  readonly next?: string;
}

export type AdoptionCode =
  | 'ambiguous'
  | 'chain-incomplete'
  | 'conflict'
  | 'duplicate'
  | 'encryption'
  | 'expired'
  | 'expires'
  | 'kept'
  | 'key-missing'
  | 'key-of-nothing'
  | 'lacking'
  | 'missing'
  | 'no-role'
  | 'one-ca'
  | 'open'
  | 'path-not-allowed'
  | 'requestheader-ca'
  | 'too-powerful'
  | 'unknown-ca'
  | 'unreadable'
  | 'weak';

/** What the user says of the files that speak for nobody. */
export interface AdoptionWishes {
  /** By id: the place that is meant. */
  readonly as: ReadonlyMap<string, string>;
  /** Ids to leave out. */
  readonly skip: ReadonlySet<string>;
  /** Ids of which the store's own may be replaced. */
  readonly replace: ReadonlySet<string>;
}

export const placesText = (places: readonly string[]): string => places.join(', ');

export const day = (date: Date): string => date.toISOString().slice(0, 10);
