import { encryptionKey } from '../../pki/encryption-key.ts';
import { readKeyRing, retiredNames } from './key-ring.ts';
import { newestOf, phaseOf, read, rewrite, write } from './rotate-encryption-key.ts';
import { atRest } from './rotation.ts';
import type { StoreFiles } from './store-files.ts';

const { id } = encryptionKey;

/**
 * The phase that an apiserver is in which knows these keys, the first of which encrypts; undefined: none of this ring's.
 * That everything is being written again is not to be seen there.
 */
export function phaseOfKeys(names: readonly string[], files: StoreFiles): number | undefined {
  const ring = readKeyRing(id, files).keys.map(({ name }) => name);
  const known = [...ring, ...retiredNames(id, files)];
  const [first] = names;
  if (first === undefined || names.some((name) => !known.includes(name))) return undefined;
  if (names.length === 1) return atRest;
  if (first !== newestOf(ring)) return read;
  return phaseOf(files) === rewrite ? rewrite : write;
}
