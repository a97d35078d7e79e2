import { X509Certificate } from 'node:crypto';
import { basename } from 'node:path/posix';
import { digestLine } from './digest.ts';
import { pathsOf } from './layout.ts';
import type { StoreFiles } from './store-files.ts';
import type { StoreFile } from './transaction.ts';

/** A CA's files, where `paths` say. */
export function filesOf(
  paths: { readonly certificate?: string; readonly key: string; readonly keyDigest: string },
  certificate: string,
  key: string,
  /** As hosts get it, where `key` is encrypted: the digest is of that. */
  plain = key,
): StoreFile[] {
  return [
    { path: paths.certificate ?? '', content: certificate, mode: 0o644 },
    { path: paths.key, content: key, mode: 0o600 },
    { path: paths.keyDigest, content: digestLine(plain, basename(paths.key)), mode: 0o644 },
  ];
}

/** Of the CA that is in use: its certificate, and its key where that is here, as they stand. */
export function archived(id: string, files: StoreFiles, now: Date): StoreFile[] {
  const { certificate = '', key } = pathsOf(id);
  const [own, ownKey] = [files.read(certificate), files.read(key)];
  if (own.state !== 'read') return [];
  const pem = own.content.toString('utf8');
  const piece = new X509Certificate(pem).fingerprint256.replaceAll(':', '').slice(0, 8).toLowerCase();
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  const stem = `archive/${id}/ca-${day}-${piece}`;
  return [
    { path: `${stem}.crt`, content: pem, mode: 0o644 },
    ...(ownKey.state === 'read'
      ? [{ path: `${stem}.key`, content: ownKey.content.toString('utf8'), mode: 0o600 } as const]
      : []),
  ];
}

/** By the names in archive/. */
export function lastRetired(id: string, files: StoreFiles): Date | undefined {
  const days = files.list().flatMap((path) => {
    const [, year, month, day] = /\/ca-(\d{4})(\d{2})(\d{2})-/.exec(path) ?? [];
    return path.startsWith(`archive/${id}/`) && day !== undefined ? [`${year}-${month}-${day}`] : [];
  });
  const last = days.sort().at(-1);
  return last === undefined ? undefined : new Date(`${last}T00:00:00Z`);
}
