import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { generateKey } from '../ca/keys.ts';
import { didYouMean } from '../cluster/suggest.ts';
import { exitCode, KbinError } from '../errors.ts';

/** `key` of a CSR file. */
export interface KeyRequest {
  readonly algo?: string;
  /** Bits. */
  readonly size?: number;
}

const curves: Readonly<Record<number, string>> = { 256: 'P-256', 384: 'P-384', 521: 'P-521' };

/** A new key; ecdsa-256 where nothing is said. Throws KbinError (exit 2) for one that cfssl does not make either. */
export async function makeKey({ algo = 'ecdsa', size = 256 }: KeyRequest): Promise<KeyObject> {
  const refused = (why: string, next: string): KbinError =>
    new KbinError(`a key of type ${algo}-${size} cannot be made`, { why, next, exit: exitCode.usage });
  switch (algo) {
    case 'ecdsa': {
      const curve = curves[size];
      if (curve === undefined) throw refused('there is no such curve', 'choose size 256, 384 or 521');
      return generateKey({ type: 'ec', curve });
    }
    case 'rsa':
      if (size < 2048) throw refused('it would be too weak', 'choose size 2048, 3072 or 4096');
      if (size > 8192) throw refused('it would be too large', 'choose size 2048, 3072 or 4096');
      return generateKey({ type: 'rsa', bits: size });
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      throw refused(
        `there is no algorithm "${algo}"${didYouMean(algo, ['rsa', 'ecdsa', 'ed25519'])}`,
        'choose "ecdsa", "rsa" or "ed25519", in small letters',
      );
  }
}

/** As cfssl writes keys: SEC 1 for elliptic curves, PKCS #1 for RSA; PKCS #8 for Ed25519, which has no other form. */
export function keyPem(key: KeyObject): string {
  const type = ({ ec: 'sec1', rsa: 'pkcs1' } as const)[key.asymmetricKeyType as 'ec' | 'rsa'] ?? 'pkcs8';
  return key.export({ type, format: 'pem' }) as string;
}

export function spkiOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}
