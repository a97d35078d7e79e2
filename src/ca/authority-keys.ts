import { authorities } from '../../pki/index.ts';
import { encryptKey } from './key-encryption.ts';
import { isEncrypted } from './keys.ts';
import { openKey, type PassphraseSource } from './passphrase.ts';
import type { StoreFiles } from './store-files.ts';

const ids = authorities.map(({ id }) => id).join('|');
const authorityKey = new RegExp(`^(?:(?:next|archive)/)?(?:${ids})/ca(?:-[^/]*)?\\.key$`);

/** Paths of the CA keys that there are: in use, to come, and retired. */
export function authorityKeyPaths(files: StoreFiles): readonly string[] {
  return files
    .list()
    .filter((path) => authorityKey.test(path))
    .sort();
}

/** The first CA key that is encrypted; undefined where none is. */
export function encryptedAuthorityKey(
  files: StoreFiles,
): { readonly path: string; readonly pem: string } | undefined {
  for (const path of authorityKeyPaths(files)) {
    const reading = files.read(path);
    const pem = reading.state === 'read' ? reading.content.toString('utf8') : '';
    if (isEncrypted(pem)) return { path, pem };
  }
  return undefined;
}

/**
 * How a new CA key (PKCS #8, PEM) is written to the store: encrypted with the passphrase of the others where one of them
 * is encrypted, or where that is `wanted`; else as it is. Throws KbinError when the passphrase does not open that one.
 */
export async function sealing(
  files: StoreFiles,
  passphrase: PassphraseSource,
  wanted = false,
): Promise<(pem: string) => string> {
  const other = encryptedAuthorityKey(files);
  if (other === undefined && !wanted) return (pem) => pem;
  const given = await passphrase();
  if (other !== undefined) openKey(other.pem, given, files.place(other.path));
  return (pem) => encryptKey(pem, given.value);
}
