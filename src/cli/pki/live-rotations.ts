import { encryptionKey } from '../../../pki/encryption-key.ts';
import { authorities } from '../../../pki/index.ts';
import { serviceAccount } from '../../../pki/service-account.ts';
import { rotationKinds } from '../../ca/rotation-kinds.ts';
import { liveEncryptionKey } from './rotate-encryption-key.ts';
import { liveServiceAccount } from './rotate-service-account.ts';
import { openAuthority } from './rotation-authority.ts';
import type { OpenRotation } from './rotations.ts';

/** By id, for everything in src/ca/rotation-kinds.ts. */
const rotations: Readonly<Record<string, OpenRotation>> = {
  ...Object.fromEntries(authorities.map(({ id }) => [id, openAuthority(id)])),
  [serviceAccount.id]: liveServiceAccount,
  [encryptionKey.id]: liveEncryptionKey,
};

/** What `kbin pki rotate` takes. */
export const rotationIds: readonly string[] = rotationKinds.map(({ id }) => id);

/** The command line takes no others. */
export function rotationOf(id: string): OpenRotation {
  const open = rotations[id];
  if (open === undefined) throw new Error(`no rotation of ${id}`);
  return open;
}
