import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { encodeCrl } from './crl.ts';
import { crlPem } from './crl-read.ts';
import type { Issuer } from './issue.ts';
import { type ObservedRevocations, revocationPaths, revocationReasons } from './revocation.ts';
import type { AppliedChange } from './store-apply.ts';
import type { StoreChange } from './store-changes.ts';
import type { StoreFile } from './transaction.ts';

interface ListWork {
  readonly now: Date;
  readonly store: { readonly revocations: (authority: string) => ObservedRevocations | undefined };
  readonly stage: (file: StoreFile) => void;
}

const hourMs = 3_600_000;
const backdateMs = 5 * 60_000;

/**
 * Signs the list of a CA anew: everything on its record, for `revocationListHours` from now on. Where another CA signed
 * the list until now, which happens in a rotation, that list goes on lying beside the CA that is still trusted.
 */
export function makeList(
  { id, revocationListHours }: PlannedAuthority,
  change: StoreChange,
  issuer: Issuer,
  { now, store, stage }: ListWork,
): AppliedChange {
  const { revoked, list } = store.revocations(id) ?? { revoked: [], list: { state: 'absent' } as const };
  const former = list.state === 'read' ? list.info : undefined;
  const paths = revocationPaths(id);
  if (former !== undefined && change.reasons.some(({ code }) => code === 'crl-signer')) {
    stage({ path: `previous/${paths.pem}`, content: crlPem(former.der), mode: 0o644 });
    stage({ path: `previous/${paths.der}`, content: former.der, mode: 0o644 });
  }
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const nextUpdate = new Date(second + revocationListHours * hourMs);
  const der = encodeCrl(
    {
      issuer: issuer.subject,
      authorityKeyId: issuer.subjectKeyId,
      // As with certificates: for hosts whose clock is a little behind.
      thisUpdate: new Date(second - backdateMs),
      nextUpdate,
      number: bytesOf(listNumber(former?.number, second)),
      revoked: revoked.map(({ serial, at, reason }) => ({
        serial: Buffer.from(serial, 'hex'),
        at,
        reason: revocationReasons[reason],
      })),
    },
    issuer.privateKey,
  );
  stage({ path: paths.pem, content: crlPem(der), mode: 0o644 });
  stage({ path: paths.der, content: der, mode: 0o644 });
  return { ...change, notAfter: nextUpdate };
}

/** Seconds since 1970, so that the number rises even where the list before this one is lost (RFC 5280 section 5.2.3). */
function listNumber(former: bigint | undefined, nowMs: number): bigint {
  const seconds = BigInt(nowMs / 1000);
  return former !== undefined && former >= seconds ? former + 1n : seconds;
}

function bytesOf(number: bigint): Buffer {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
