import { X509Certificate } from 'node:crypto';
import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { certificateParts } from './certificate-parts.ts';
import type { CrlInfo } from './crl-read.ts';
import { day } from './leaf-diff.ts';
import type { ObservedEntry } from './observed-store.ts';
import { type ObservedRevocations, revocationOf } from './revocation.ts';
import { isSignedWith } from './revocation-signature.ts';
import type { Reason, StoreChange, StoreNote } from './store-changes.ts';

/** Name of a CA's list among the changes: its path without the ending. */
export const listId = (authority: string): string => `${authority}/crl`;

/** Of a leaf that is served and was revoked: the next deploy must not bring it to a host again. */
export function revokedReasons(
  { certificate }: Pick<ObservedEntry, 'certificate'>,
  revocations: ObservedRevocations | undefined,
): Reason[] {
  if (certificate.state !== 'read') return [];
  const entry = revocationOf(certificate.info, revocations?.revoked ?? []);
  return entry === undefined
    ? []
    : [{ code: 'revoked', message: `revoked on ${day(entry.at)} (${entry.reason})` }];
}

/** What to do about the list of a CA. Its age alone is no reason to stop where the CA's key is not. */
export function diffList(
  authority: PlannedAuthority,
  entry: Pick<ObservedEntry, 'certificate' | 'key'>,
  revocations: ObservedRevocations | undefined,
  now: Date,
): { readonly changes: readonly StoreChange[]; readonly notes: readonly StoreNote[] } {
  if (revocations === undefined) return { changes: [], notes: [] };
  const id = listId(authority.id);
  const reasons = listReasons(authority, revocations, entry, now);
  if (reasons.length === 0) return { changes: [], notes: [] };
  const isAway = entry.key.state === 'absent' || entry.key.state === 'closed';
  if (isAway && reasons.every(({ code }) => code === 'crl-expires')) {
    const why = reasons.map(({ message }) => message).join('; ');
    const message = `the revocation list of ${authority.id}: ${why}; it is made anew where the CA key is`;
    return { changes: [], notes: [{ id, message }] };
  }
  const action = revocations.list.state === 'absent' ? 'create' : 'reissue';
  return { changes: [{ id, kind: 'revocation-list', action, reasons }], notes: [] };
}

/**
 * Why the list of a CA has to be made anew; empty when it is as it should be, or when nothing was ever revoked. Time
 * alone is a reason as soon as half of its life is over.
 */
function listReasons(
  authority: PlannedAuthority,
  { revoked, list }: ObservedRevocations,
  { certificate }: Pick<ObservedEntry, 'certificate'>,
  now: Date,
): Reason[] {
  const reason = (code: Reason['code'], message: string): Reason[] => [{ code, message }];
  if (list.state === 'absent') {
    return revoked.length === 0 ? [] : reason('crl-missing', 'what was revoked is on no list yet');
  }
  if (list.state === 'unreadable') return reason('crl-unreadable', `it cannot be read: ${list.reason}`);
  const { info, alike } = list;
  const named = new Set(info.revoked.map(({ serial }) => serial));
  const unnamed = revoked.filter(({ serial }) => !named.has(serial));
  return [
    ...(unnamed.length === 0
      ? []
      : reason('crl-entries', `it does not name ${unnamed.map(({ name }) => name).join(', ')}`)),
    ...(alike ? [] : reason('crl-missing', 'its DER file is missing, or another list')),
    ...(certificate.state === 'read' && !isOf(info, certificate.info.pem)
      ? reason('crl-signer', `signed by another CA than ${authority.id} is now`)
      : []),
    ...(isHalfOver(info, now) ? reason('crl-expires', expiry(info, now)) : []),
  ];
}

function isOf(info: CrlInfo, pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return (
    certificateParts(certificate.raw).subject.equals(info.issuer) && isSignedWith(info, certificate.publicKey)
  );
}

function isHalfOver({ thisUpdate, nextUpdate }: CrlInfo, now: Date): boolean {
  if (nextUpdate === undefined) return true;
  return nextUpdate.getTime() - now.getTime() < (nextUpdate.getTime() - thisUpdate.getTime()) / 2;
}

function expiry({ nextUpdate }: CrlInfo, now: Date): string {
  if (nextUpdate === undefined) return 'it does not say until when it is good';
  return nextUpdate <= now
    ? `expired on ${day(nextUpdate)}`
    : `less than half of its time is left (until ${day(nextUpdate)})`;
}
