import { encryptionKey } from '../../pki/encryption-key.ts';
import { authorities } from '../../pki/index.ts';
import { serviceAccount } from '../../pki/service-account.ts';
import { rotationKinds } from '../ca/rotation-kinds.ts';
import { exitCode, KbinError } from '../errors.ts';
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

/** Throws a usage error for what is none of them. */
export function rotationOf(id: string): OpenRotation {
  const open = rotations[id];
  if (open !== undefined) return open;
  throw new KbinError(`${id} is nothing that can be rotated`, {
    why: `what can is ${rotationIds.join(', ')}`,
    next: 'a certificate is renewed by `kbin pki renew`',
    exit: exitCode.usage,
  });
}
