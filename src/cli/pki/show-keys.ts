import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sha256 } from '../../ca/digest.ts';
import { fileFailure } from '../../ca/file-failure.ts';
import { keyRingPaths, readKeyRing, ringKeyDigest } from '../../ca/key-ring.ts';
import { algorithmOf } from '../../ca/keys.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { KbinError } from '../../errors.ts';

export interface ShownKey {
  readonly kind: 'public-key';
  readonly file: string;
  readonly key: string;
  /** Of the SubjectPublicKeyInfo, hex. */
  readonly publicKeySha256: string;
}

/** Of a key ring, whose keys nobody may see. */
export interface ShownSecret {
  readonly kind: 'secret';
  readonly file: string;
  readonly name: string;
  readonly use: 'encrypts' | 'decrypts' | 'unknown';
  /** Of the key file, hex. */
  readonly fileSha256?: string;
}

export function showPublicKey(file: string): ShownKey {
  const key = createPublicKey(read(file));
  const spki = key.export({ type: 'spki', format: 'der' });
  return { kind: 'public-key', file, key: algorithmOf(key), publicKeySha256: sha256(spki) };
}

export function showRing(folder: string, id: string): ShownSecret[] {
  const { order, keys } = readConsistently(folder, (files) => readKeyRing(id, files));
  if (keys.length === 0) {
    throw new KbinError(`there is no ${id} in ${folder}`, {
      step: 'showing a key',
      next: 'run `kbin pki init`: it makes what is missing',
    });
  }
  const known = order === 'read' || order === 'guessed';
  return keys.map((key, index) => {
    const digest = ringKeyDigest(key);
    return {
      kind: 'secret',
      file: `${folder}/${keyRingPaths.key(id, key.name)}`,
      name: key.name,
      use: known ? (index === 0 ? 'encrypts' : 'decrypts') : 'unknown',
      ...(digest === undefined ? {} : { fileSha256: digest }),
    };
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, 'showing a key', error);
  }
}
