import { readRecord, recordText, textOf } from './record.ts';
import type { StoreFiles } from './store-files.ts';
import type { StoreFile } from './transaction.ts';

/**
 * The certificates that were made elsewhere and taken over, by `kbin pki adopt`: each stays for as long as it does its
 * job, though kbin would have made another. A certificate that is issued anew is not in it, and held to the plan.
 */
export const adoptedPath = 'adopted';

export interface Adopted {
  readonly id: string;
  /** Of the certificate, SHA-256 in hex pairs with colons. */
  readonly sha256: string;
}

export function adoptedCertificates(files: StoreFiles): readonly Adopted[] {
  return readRecord(files, adoptedPath, (line) => {
    const id = textOf(line.id);
    const sha256 = textOf(line.sha256);
    return id === undefined || sha256 === undefined ? undefined : { id, sha256 };
  });
}

/** The record with these in it; what it said of the same ids is forgotten. */
export function adoptedFile(known: readonly Adopted[], more: readonly Adopted[]): StoreFile {
  const kept = known.filter(({ id }) => !more.some((entry) => entry.id === id));
  return { path: adoptedPath, content: recordText([...kept, ...more]), mode: 0o644 };
}
