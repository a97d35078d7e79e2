import { type KeyObject, verify } from 'node:crypto';
import type { CrlInfo } from './crl-read.ts';

/** What each signature algorithm hashes with; null: the algorithm has a digest of its own. Nobody signs with others here. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
};

/** Whether the key's owner signed the list. */
export function isSignedWith({ tbs, signature, signatureAlgorithm }: CrlInfo, key: KeyObject): boolean {
  const digest = digests[signatureAlgorithm];
  if (digest === undefined) return false;
  try {
    return verify(digest, tbs, key, signature);
  } catch {
    return false;
  }
}
