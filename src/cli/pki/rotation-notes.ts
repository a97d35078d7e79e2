import { type RotationUnderWay, rotationsUnderWay } from '../../ca/rotation-kinds.ts';
import type { PlanFinding } from '../../diff/changes.ts';

/** That a rotation has begun and has not ended is meant to be so, and not to be forgotten. */
export function rotationFindings(folder: string): readonly PlanFinding[] {
  return rotationsUnderWay(folder).map((rotation) => ({
    severity: 'warning',
    code: 'rotation-under-way',
    message: rotationNote(rotation),
    next: `\`kbin pki rotate ${rotation.id}\` goes on with it`,
  }));
}

export const rotationNote = ({ id, phase, says }: RotationUnderWay): string =>
  `a rotation of ${id} is under way, in the phase ${phase}: ${says}`;
