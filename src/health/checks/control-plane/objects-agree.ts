import type { Echo } from '../../api-canary.ts';
import type { Check } from '../../check.ts';
import { listing } from '../main-cluster.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** What is written through one apiserver is read through every other. */
export const objectsAgree: ControlPlaneJudgement = ({ canaries }) => {
  const id = 'objects-agree';
  if (typeof canaries === 'string') return [{ id, status: 'skip', message: canaries }];
  return canaries.canaries.map(({ through, writeFailure, reads }): Check => {
    const base = { id, target: through } as const;
    if (writeFailure !== undefined) {
      const message = `no Secret could be written through it: ${writeFailure.message}`;
      return { ...base, status: 'fail', message, next: writeFailure.next };
    }
    const failed = refusals(reads);
    if (failed.length === 0)
      return {
        ...base,
        status: 'pass',
        message: `a Secret written through it was read through ${names(reads)}`,
      };
    return {
      ...base,
      status: 'fail',
      message: `a Secret written through it could not be read through ${failed.map(worded).join('; ')}`,
      next: 'see whether all apiservers have the same etcd and the same encryption keys: `kbin plan` shows what differs',
    };
  });
};

/** Shown only when something is left. */
export const canariesDeleted: ControlPlaneJudgement = ({ canaries }) =>
  typeof canaries === 'string'
    ? []
    : canaries.leftBehind.map(({ name, failure }) => ({
        id: 'canary-objects-deleted',
        status: 'warn',
        message: `${name} in kube-system could not be deleted: ${failure.message}`,
        next: 'the next run deletes it, if it is older than ten minutes then; or delete it with kubectl',
      }));

export function refusals(echoes: readonly Echo[]): readonly Required<Echo>[] {
  return echoes.flatMap(({ by, failure }) => (failure === undefined ? [] : [{ by, failure }]));
}

export function worded({ by, failure }: Required<Echo>): string {
  return `${by}, which ${failure.message}`;
}

export function names(echoes: readonly Echo[]): string {
  return listing(echoes.map(({ by }) => by));
}
