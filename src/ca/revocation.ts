import { type CrlInfo, inspectCrl } from './crl-read.ts';
import type { CertificateInfo } from './inspect.ts';
import { dateOf, type RecordLine, readRecord, serialOf, textOf } from './record.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * What was revoked, a record for each CA, `<ca>/revoked`; nothing is ever taken off it. From it follows the list that the
 * CA signs, `<ca>/crl.pem` and `<ca>/crl.der`. The record outlives a rotation of the CA: whoever goes by the list (etcd)
 * takes one, and compares serial numbers only, so the list of the CA that signs names what earlier ones signed, too.
 */
export interface Revoked {
  /** Hex, as openssl prints it. */
  readonly serial: string;
  readonly at: Date;
  readonly reason: RevocationReason;
  /** What it was, for a reader: its name in the plan, or its subject. */
  readonly name: string;
  /** Key identifier of the CA that signed it, lower-case hex; undefined where only its serial number was given. */
  readonly authorityKeyId?: string;
}

/** CRLReason, RFC 5280 section 5.3.1, those that may be said of a leaf for good. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

export const isRevocationReason = (name: string): name is RevocationReason =>
  Object.hasOwn(revocationReasons, name);

export const revocationPaths = (authority: string) =>
  ({ record: `${authority}/revoked`, pem: `${authority}/crl.pem`, der: `${authority}/crl.der` }) as const;

/** Oldest first. Throws KbinError when the record is damaged: a certificate that is left out would be let in again. */
export function revokedBy(files: StoreFiles, authority: string): readonly Revoked[] {
  return readRecord(files, revocationPaths(authority).record, revokedOf);
}

function revokedOf(line: RecordLine): Revoked | undefined {
  const serial = serialOf(line.serial);
  const at = dateOf(line.at);
  const reason = textOf(line.reason) ?? '';
  const authorityKeyId = textOf(line.authorityKeyId);
  if (serial === undefined || at === undefined || !isRevocationReason(reason)) return undefined;
  return {
    serial,
    at,
    reason,
    name: textOf(line.name) ?? '',
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
  };
}

/** The record, and the list that there is. */
export interface ObservedRevocations {
  readonly revoked: readonly Revoked[];
  readonly list:
    | { readonly state: 'absent' }
    | { readonly state: 'unreadable'; readonly reason: string }
    /** `alike`: the PEM and the DER file hold the same. */
    | { readonly state: 'read'; readonly info: CrlInfo; readonly alike: boolean };
}

export function observeRevocations(files: StoreFiles, authority: string): ObservedRevocations {
  return { revoked: revokedBy(files, authority), list: observeList(files, authority) };
}

function observeList(files: StoreFiles, authority: string): ObservedRevocations['list'] {
  const paths = revocationPaths(authority);
  const [pem, der] = [files.read(paths.pem), files.read(paths.der)];
  if (pem.state === 'absent') return { state: 'absent' };
  if (pem.state === 'closed') return { state: 'unreadable', reason: pem.reason };
  try {
    const info = inspectCrl(pem.content.toString('utf8'), files.place(paths.pem));
    return { state: 'read', info, alike: der.state === 'read' && der.content.equals(info.der) };
  } catch (error) {
    return { state: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The line that revokes a certificate; undefined: none does. CAs of one name may have given a serial number twice. */
export function revocationOf(
  { serial, authorityKeyId }: Pick<CertificateInfo, 'serial' | 'authorityKeyId'>,
  revoked: readonly Revoked[],
): Revoked | undefined {
  return revoked.find(
    (entry) =>
      entry.serial === serial &&
      (entry.authorityKeyId === undefined ||
        authorityKeyId === undefined ||
        entry.authorityKeyId === authorityKeyId),
  );
}
