import { basename } from 'node:path/posix';
import { KbinError } from '../errors.ts';
import { authorityKeyPaths } from './authority-keys.ts';
import { digestIn, digestLine, sha256 } from './digest.ts';
import { checkPassphrase, encryptKey } from './key-encryption.ts';
import { isEncrypted, plainPem, readPrivateKey } from './keys.ts';
import type { LockOptions } from './lock.ts';
import { openKey, type PassphraseSource } from './passphrase.ts';
import type { Store } from './store.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';

const step = 'certificate store';

export interface ChangedKey {
  /** Path below pki/. */
  readonly file: string;
  readonly was: 'plain' | 'encrypted';
  /**
   * Hosts that have this key have other bytes of it than what the next deploy brings: it was in an older form (SEC 1,
   * PKCS #1), and is PKCS #8 from now on.
   */
  readonly form: 'kept' | 'changed';
}

interface AuthorityKey {
  readonly path: string;
  readonly pem: string;
  /** PKCS #8, PEM. */
  readonly plain: string;
}

/**
 * Encrypts every CA key of the store, those to come and the retired ones too, with the passphrase that `to` gives; or,
 * without `to`, has them all lie there in the clear. All of them or, when anything stops it, none. What is encrypted is
 * opened with the store's own passphrase. Throws KbinError when a key cannot be read or opened.
 */
export function changePassphrase(
  store: Store,
  to: PassphraseSource | undefined,
  options: Partial<LockOptions>,
): Promise<readonly ChangedKey[]> {
  return store.withLock(async (transaction) => {
    const files = diskFiles(store.folder);
    const keys = await readKeys(files, store.passphrase);
    const chosen = keys.filter(({ pem }) => to !== undefined || isEncrypted(pem));
    const passphrase = chosen.length === 0 ? undefined : await to?.();
    if (passphrase !== undefined) checkPassphrase(passphrase.value);
    return chosen.map(({ path, pem, plain }): ChangedKey => {
      const content = passphrase === undefined ? plain : encryptKey(plain, passphrase.value);
      const digest = files.read(`${path}.sha256`);
      const known = digest.state === 'read' ? digestIn(digest.content.toString('utf8')) : undefined;
      transaction.stage({ path, content, mode: 0o600 });
      transaction.stage({ path: `${path}.sha256`, content: digestLine(plain, basename(path)), mode: 0o644 });
      return {
        file: path,
        was: isEncrypted(pem) ? 'encrypted' : 'plain',
        form: known === undefined || known === sha256(plain) ? 'kept' : 'changed',
      };
    });
  }, options);
}

async function readKeys(files: StoreFiles, passphrase: PassphraseSource): Promise<AuthorityKey[]> {
  const read = authorityKeyPaths(files).map((path) => ({ path, pem: textOf(files, path) }));
  if (read.length === 0) {
    throw new KbinError('there is no CA key here', {
      step,
      why: `none is in ${files.place('')}: they are kept elsewhere, or not made yet`,
      next: 'work where the CA keys are, or make them encrypted: kbin pki init --encrypt-ca-keys',
    });
  }
  const keys: AuthorityKey[] = [];
  for (const { path, pem } of read) {
    const file = files.place(path);
    const plain = isEncrypted(pem) ? openKey(pem, await passphrase(), file) : plainOf(pem, file);
    keys.push({ path, pem, plain });
  }
  return keys;
}

function textOf(files: StoreFiles, path: string): string {
  const reading = files.read(path);
  if (reading.state === 'read') return reading.content.toString('utf8');
  throw new KbinError(`cannot read ${files.place(path)}`, {
    step,
    why: reading.state === 'closed' ? reading.reason : 'it is gone',
    next: 'run kbin as the user that owns the folder',
  });
}

function plainOf(pem: string, file: string): string {
  const reading = readPrivateKey(pem, undefined);
  if (reading.state === 'read') return plainPem(reading.key);
  throw new KbinError(`${file} cannot be read`, {
    step,
    why: `${reading.reason}; nothing was changed`,
    next: 'restore it from a backup',
  });
}
