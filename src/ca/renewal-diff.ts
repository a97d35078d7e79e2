import { X509Certificate } from 'node:crypto';
import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { renewedEnd } from './issue.ts';
import { pathsOf } from './layout.ts';
import { day, isUnmade, type Place } from './leaf-diff.ts';
import type { ObservedEntry } from './observed-store.ts';
import type { Reason, StoreChange, StoreProblem } from './store-changes.ts';

/** Which certificates of the plan are to be issued anew though nothing is wrong with them. A CA keeps its key always. */
export type Renew = (id: string) => 'new-key' | 'same-key' | undefined;

export const neverRenewed: Renew = () => undefined;

const renewal: Reason = { code: 'renewal', message: 'renewal asked for' };
const withItsKey: Reason = { code: 'renewal', message: 'renewal asked for, with the key it has' };

const withItsEnd = (end: Date): Reason => ({
  code: 'renewal',
  message: `it keeps its end, ${day(end)}, since pki.validity.ca would make it shorter`,
});

/** undefined: no renewal is asked for, or there is nothing to renew yet. */
export function renewalOfAuthority(
  { id, validityHours }: PlannedAuthority,
  { certificate }: ObservedEntry,
  { renew, now, place }: { readonly renew: Renew; readonly now: Date; readonly place: Place },
): { readonly changes: readonly StoreChange[]; readonly problems: readonly StoreProblem[] } | undefined {
  const wanted = renew(id);
  if (wanted === undefined || certificate.state !== 'read') return undefined;
  if (wanted === 'new-key') throw new Error(`${id}: another key makes another CA, which is no renewal`);
  const { info } = certificate;
  const own = new X509Certificate(info.pem);
  if (info.subject === info.issuer && own.verify(own.publicKey)) {
    const staysLong = renewedEnd(info, { now, validityHours }) <= info.notAfter;
    const reasons = [withItsKey, ...(staysLong ? [withItsEnd(info.notAfter)] : [])];
    return {
      changes: [{ id, kind: 'authority', action: 'reissue', keepsKey: true, reasons }],
      problems: [],
    };
  }
  const problem: StoreProblem = {
    id,
    code: 'signed-elsewhere',
    message: `${id} cannot be renewed here`,
    why: `${place(pathsOf(id).certificate ?? '')} is signed by ${info.issuer}, whose key is not in this store`,
    next: `have it signed again there: kbin pki csr ${id}`,
  };
  return { changes: [], problems: [problem] };
}

export interface LeafRenewal {
  readonly reasons: readonly Reason[];
  readonly key: Pick<StoreChange, 'keepsKey'>;
  readonly problems: readonly StoreProblem[];
}

/** `differs`: for what it would be issued anew anyway. */
export function renewalOfLeaf(
  id: string,
  entry: ObservedEntry,
  differs: readonly Reason[],
  renew: Renew,
  place: Place,
): LeafRenewal {
  const wanted = renew(id);
  if (wanted === undefined || isUnmade(entry)) return { reasons: [], key: {}, problems: [] };
  if (wanted === 'new-key') return { reasons: [renewal], key: {}, problems: [] };
  if (entry.key.state === 'absent' || (entry.certificate.state === 'absent' && entry.key.state !== 'read')) {
    const problem: StoreProblem = {
      id,
      code: 'key-not-kept',
      message: `${id} cannot keep its key`,
      why: `${place(pathsOf(id).key)} is not there, or cannot be read`,
      next: 'run the command where the key is kept, or renew without --same-key',
    };
    return { reasons: [], key: {}, problems: [problem] };
  }
  const otherKey = differs.find(({ code }) => code === 'key-type');
  if (otherKey !== undefined) {
    const problem: StoreProblem = {
      id,
      code: 'key-not-kept',
      message: `${id} cannot keep its key`,
      why: otherKey.message,
      next: 'renew without --same-key, or take the change of pki.key back in cluster.yaml',
    };
    return { reasons: [], key: {}, problems: [problem] };
  }
  return { reasons: [withItsKey], key: { keepsKey: true }, problems: [] };
}
