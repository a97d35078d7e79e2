import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyFile } from '../observe/observed.ts';

/** undefined: not all of them can be told, or there is none. */
export function publicKeys(file: KeyFile | undefined): readonly string[] | undefined {
  if (file?.kind !== 'keys' || file.isClosed) return undefined;
  const keys = keysIn(file.pem);
  return keys?.length === 0 ? undefined : keys;
}

/** SubjectPublicKeyInfo as hex, of every certificate and public key. */
export function keysIn(pem: string): readonly string[] | undefined {
  try {
    return [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g)].map(
      ([block, label = '']) => {
        const key = label.endsWith('CERTIFICATE')
          ? new X509Certificate(block).publicKey
          : createPublicKey(block);
        return key.export({ type: 'spki', format: 'der' }).toString('hex');
      },
    );
  } catch {
    return undefined;
  }
}
