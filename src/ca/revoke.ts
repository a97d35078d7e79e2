import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { keysToOpen } from './keys-to-open.ts';
import type { LockOptions } from './lock.ts';
import { observeStore, readRaw } from './observed-store.ts';
import { overlay } from './overlay.ts';
import { stopped } from './reconcile.ts';
import { recordText } from './record.ts';
import { type Revocable, revocables } from './revocable.ts';
import {
  type RevocationReason,
  type Revoked,
  revocationOf,
  revocationPaths,
  revokedBy,
} from './revocation.ts';
import { listId } from './revocation-diff.ts';
import { type Store, stageIgnoreFile } from './store.ts';
import { type AppliedChange, applyChanges } from './store-apply.ts';
import type { StoreChange, StoreDiff } from './store-changes.ts';
import { diffStore } from './store-diff.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';
import type { StoreFile, Transaction } from './transaction.ts';
import { refuseWaiting, waitingRequests } from './waiting.ts';

export interface RevokeOptions extends Partial<LockOptions> {
  readonly reason: RevocationReason;
  readonly now: Date;
}

/** Of one CA. */
export interface RevokeResult {
  readonly authority: string;
  readonly revoked: readonly Revoked[];
  /** These were revoked before. */
  readonly already: readonly Revoked[];
  /** The list of the CA, and certificates of the plan that were issued anew. */
  readonly applied: readonly AppliedChange[];
}

/**
 * Revokes certificates, of whichever CAs: puts each on its CA's record, signs that list anew, and issues anew what of
 * them the plan wants, all in one transaction; else the next deploy would bring to the hosts what is refused there.
 * Whatever else cluster.yaml wants of the store is left for `kbin pki init`. Throws KbinError when one of the CAs cannot
 * sign.
 */
export function revoke(
  plan: CertificatePlan,
  store: Store,
  certificates: readonly Revocable[],
  options: RevokeOptions,
): Promise<readonly RevokeResult[]> {
  return store.withLock(async (transaction) => {
    const done: RevokeResult[] = [];
    for (const authority of new Set(certificates.map((one) => one.authority))) {
      const own = certificates.filter((one) => one.authority === authority);
      done.push(await revokeOf(plan, store, authority, own, { ...options, transaction }));
    }
    return done;
  }, options);
}

async function revokeOf(
  plan: CertificatePlan,
  store: Store,
  authority: string,
  certificates: readonly Revocable[],
  options: RevokeOptions & { readonly transaction: Transaction },
): Promise<RevokeResult> {
  const { transaction } = options;
  const files = diskFiles(store.folder);
  refuseRequests(plan, files, authority, certificates);
  const record = revokedBy(files, authority);
  const already = certificates.flatMap((one) => revocationOf(one, record) ?? []);
  const revoked = certificates
    .filter((one) => revocationOf(one, record) === undefined)
    .map((one) => entryOf(one, options));
  const { changes, observed } = await outstanding(plan, store, authority, {
    files,
    put: revoked.length === 0 ? [] : [recordFile(authority, [...record, ...revoked])],
    now: options.now,
  });
  stageIgnoreFile(store.folder, transaction);
  if (revoked.length > 0) transaction.stage(recordFile(authority, [...record, ...revoked]));
  const work = { now: options.now, store: observed, stage: transaction.stage };
  return { authority, revoked, already, applied: await applyChanges(plan, changes, work) };
}

/** What is in use and waits for an answer is not issued anew: the next deploy would bring it, and the list that it is on. */
function refuseRequests(
  plan: CertificatePlan,
  files: StoreFiles,
  authority: string,
  certificates: readonly Revocable[],
): void {
  const serials = new Set(certificates.map(({ serial }) => serial));
  const inUse = revocables(plan, files).filter(
    (one) => one.authority === authority && serials.has(one.serial),
  );
  const leaves = plan.authorities.find(({ id }) => id === authority)?.leaves ?? [];
  const ids = leaves.flatMap(({ id }) => (inUse.some(({ name }) => name === id) ? [id] : []));
  refuseWaiting(waitingRequests(ids, files), files.place, {
    step: 'revoke',
    why: 'what is revoked is made anew in the same moment, which the request stands in the way of',
  });
}

/** Signs the lists of these CAs anew, whatever is on them. */
export function renewLists(
  plan: CertificatePlan,
  store: Store,
  authorities: readonly string[],
  options: Pick<RevokeOptions, 'now'> & Partial<LockOptions>,
): Promise<readonly AppliedChange[]> {
  return store.withLock(async (transaction) => {
    const files = diskFiles(store.folder);
    const made: AppliedChange[] = [];
    for (const authority of authorities) {
      const { changes, observed } = await outstanding(plan, store, authority, {
        files,
        put: [],
        now: options.now,
        always: true,
      });
      const work = { now: options.now, store: observed, stage: transaction.stage };
      made.push(...(await applyChanges(plan, changes, work)));
    }
    stageIgnoreFile(store.folder, transaction);
    return made;
  }, options);
}

interface Circumstances {
  readonly files: StoreFiles;
  /** What will be in the store. */
  readonly put: readonly StoreFile[];
  readonly now: Date;
  /** The list is to be made anew although nothing is wrong with it. */
  readonly always?: boolean;
}

/** What follows for the CA's list, and for certificates of the plan that are revoked. Opens the CA's key where needed. */
async function outstanding(
  plan: CertificatePlan,
  store: Store,
  authority: string,
  { files, put, now, always }: Circumstances,
): Promise<{ changes: readonly StoreChange[]; observed: Awaited<ReturnType<typeof observeStore>> }> {
  const after = overlay(files, put, []);
  const compare = async (passphrase: string | undefined) => {
    const observed = await observeStore(plan, readRaw(plan, after), passphrase);
    const diff = diffStore(plan, observed, now, files.place);
    const changes = ofRevocation(plan, diff, authority);
    if (always && !changes.some(({ id }) => id === listId(authority))) changes.push(askedFor(authority));
    refuse(plan, diff, authority, changes);
    return { observed, changes };
  };
  const compared = await compare(undefined);
  const { certificate, key } = compared.observed.get(authority) ?? {};
  if (compared.changes.length > 0) {
    if (certificate?.state !== 'read') throw lacking(`the CA ${authority}`, store);
    if (key?.state === 'absent' || key?.state === 'closed') throw lacking(`the key of ${authority}`, store);
  }
  if (keysToOpen(plan, compared.changes, compared.observed).length === 0) return compared;
  return compare((await store.passphrase()).value);
}

function ofRevocation(plan: CertificatePlan, { changes }: StoreDiff, authority: string): StoreChange[] {
  const leaves = plan.authorities.find(({ id }) => id === authority)?.leaves ?? [];
  return changes.filter(
    ({ id, reasons }) =>
      id === listId(authority) ||
      (leaves.some((leaf) => leaf.id === id) && reasons.some(({ code }) => code === 'revoked')),
  );
}

const askedFor = (authority: string): StoreChange => ({
  id: listId(authority),
  kind: 'revocation-list',
  action: 'reissue',
  reasons: [{ code: 'crl-renewal', message: 'asked for' }],
});

/** Only what stands in the way of this: another CA's troubles must not keep anybody from revoking. */
function refuse(
  plan: CertificatePlan,
  { problems }: StoreDiff,
  authority: string,
  changes: readonly StoreChange[],
): void {
  if (!plan.authorities.some(({ id }) => id === authority))
    throw new Error(`${authority} is no CA of the plan`);
  const concerned = new Set([authority, ...changes.map(({ id }) => id)]);
  const inTheWay = problems.filter(({ id }) => concerned.has(id));
  if (inTheWay.length > 0) throw stopped(inTheWay);
}

function lacking(what: string, { folder }: Store): KbinError {
  return new KbinError(`the certificate store lacks ${what}`, {
    step: 'certificate store',
    why: `a revocation list is signed by the CA; ${folder} is where it should be`,
    next: 'run the command where the CA keys are kept; for a CA outside, ask those who keep it for their list',
  });
}

function entryOf({ serial, name, authorityKeyId }: Revocable, { reason, now }: RevokeOptions): Revoked {
  const at = new Date(Math.floor(now.getTime() / 1000) * 1000);
  return { serial, at, reason, name, ...(authorityKeyId === undefined ? {} : { authorityKeyId }) };
}

const recordFile = (authority: string, lines: readonly Revoked[]): StoreFile => ({
  path: revocationPaths(authority).record,
  content: recordText(lines),
  mode: 0o644,
});
