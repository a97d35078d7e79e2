import { authorities } from '../../pki/index.ts';
import { authorityRotation } from './rotate-authority.ts';
import { encryptionKeyRotation } from './rotate-encryption-key.ts';
import { serviceAccountRotation } from './rotate-service-account.ts';
import { atRest, phaseName, type RotationKind } from './rotation.ts';
import { readConsistently } from './store-files.ts';

/** Everything that `kbin pki rotate` replaces. */
export const rotationKinds: readonly RotationKind[] = [
  ...authorities.map(({ id }) => authorityRotation(id)),
  serviceAccountRotation,
  encryptionKeyRotation,
];

export interface RotationUnderWay {
  readonly id: string;
  /** Its phase. */
  readonly phase: string;
  readonly says: string;
}

/** Those that have begun and have not ended, by the files in pki/; the hosts are not asked. */
export function rotationsUnderWay(folder: string): readonly RotationUnderWay[] {
  return readConsistently(folder, (files) =>
    rotationKinds.flatMap((kind) => {
      const phase = kind.phase(files);
      const says = kind.phases[phase]?.says;
      return phase === atRest || says === undefined
        ? []
        : [{ id: kind.id, phase: phaseName(kind, phase), says }];
    }),
  );
}
