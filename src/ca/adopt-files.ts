import { basename } from 'node:path/posix';
import { digestLine } from './digest.ts';
import type { FoundKey } from './found.ts';
import { isEncrypted, plainPem, publicKeyPem } from './keys.ts';
import type { StorePaths } from './layout.ts';
import type { StoreFile } from './transaction.ts';

/** The key as it was found, byte for byte, and the digest of what hosts get. */
export function keyFiles(paths: StorePaths, { text, key }: Pick<FoundKey, 'text' | 'key'>): StoreFile[] {
  const plain = isEncrypted(text) ? plainPem(key) : text;
  return [
    { path: paths.key, content: text, mode: 0o600 },
    { path: paths.keyDigest, content: digestLine(plain, basename(paths.key)), mode: 0o644 },
  ];
}

export function publicKeyFile(path: string, spki: Buffer): StoreFile {
  return { path, content: publicKeyPem(spki), mode: 0o644 };
}

export function certificateFile({ certificate }: StorePaths, pem: string): StoreFile {
  if (certificate === undefined) throw new Error('no certificate is kept there');
  return { path: certificate, content: pem, mode: 0o644 };
}
