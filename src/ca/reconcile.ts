import { join } from 'node:path';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { sealing } from './authority-keys.ts';
import { closeFolders } from './folders.ts';
import { keysToOpen } from './keys-to-open.ts';
import { pathsOf } from './layout.ts';
import type { LockOptions } from './lock.ts';
import { type ObservedStore, observeStore, planIds, readRaw } from './observed-store.ts';
import { openKey } from './passphrase.ts';
import type { Renew } from './renewal-diff.ts';
import { type Store, stageIgnoreFile } from './store.ts';
import { type AppliedChange, applyChanges } from './store-apply.ts';
import type { StoreChange, StoreDiff, StoreNote, StoreProblem } from './store-changes.ts';
import { diffStore } from './store-diff.ts';
import { diskFiles, readConsistently } from './store-files.ts';

export interface ReconcileOptions {
  readonly now: Date;
  /** Opens encrypted keys; without one they stay as they are. */
  readonly passphrase?: string | undefined;
  /** Certificates to be issued anew though nothing is wrong with them. Default: none. */
  readonly renew?: Renew;
}

/** What the store holds, and what would be made. Reads only; needs neither the lock nor the keys. */
export async function compareStore(
  plan: CertificatePlan,
  folder: string,
  { now, passphrase, renew }: ReconcileOptions,
): Promise<{ readonly observed: ObservedStore; readonly diff: StoreDiff }> {
  const { raw, place } = readConsistently(folder, (files) => ({
    raw: readRaw(plan, files),
    place: files.place,
  }));
  const observed = await observeStore(plan, raw, passphrase);
  return { observed, diff: diffStore(plan, observed, now, place, renew) };
}

export interface Reconciled {
  /** What was made, in the plan's order; empty when there was nothing to do. */
  readonly applied: readonly AppliedChange[];
  /** How many entries of the plan were as they should be. */
  readonly kept: number;
  readonly notes: readonly StoreNote[];
}

/**
 * Makes the store what the plan wants, all of it or, when anything stops it, none. Encrypted keys are opened with the
 * store's passphrase where they are needed. Throws KbinError with every reason.
 */
export function reconcileStore(
  plan: CertificatePlan,
  store: Store,
  options: ReconcileOptions & {
    /** New CA keys are encrypted also where no other one is. */
    readonly encryptAuthorityKeys?: boolean;
  } & Partial<LockOptions>,
): Promise<Reconciled> {
  return store.withLock(async (transaction) => {
    const { observed, diff } = await compareOpened(plan, store, options);
    const makesAuthority = diff.changes.some(
      ({ kind, action }) => kind === 'authority' && action === 'create',
    );
    const seal = makesAuthority
      ? await sealing(diskFiles(store.folder), store.passphrase, options.encryptAuthorityKeys)
      : undefined;
    const closed = closeFolders(store.folder);
    stageIgnoreFile(store.folder, transaction);
    const { now } = options;
    const applied = await applyChanges(plan, diff.changes, {
      now,
      store: observed,
      stage: transaction.stage,
      ...(seal === undefined ? {} : { seal }),
    });
    return {
      applied,
      kept: keptOf(plan, applied),
      notes: [...diff.notes, ...closed.map(closedNote)],
    };
  }, options);
}

/** As compareStore, with those keys opened that the changes take. Throws when there are problems. */
async function compareOpened(
  plan: CertificatePlan,
  store: Store,
  options: ReconcileOptions,
): ReturnType<typeof compareStore> {
  const compared = await compareStore(plan, store.folder, options);
  if (compared.diff.problems.length > 0) throw stopped(compared.diff.problems);
  const closed = keysToOpen(plan, compared.diff.changes, compared.observed);
  if (closed.length === 0) return compared;
  const passphrase = await store.passphrase();
  for (const id of closed) {
    const key = compared.observed.get(id)?.key;
    if (key?.state === 'encrypted') openKey(key.pem, passphrase, join(store.folder, pathsOf(id).key));
  }
  const { value } = passphrase;
  const opened = await compareStore(plan, store.folder, { ...options, passphrase: value });
  if (opened.diff.problems.length > 0) throw stopped(opened.diff.problems);
  return opened;
}

const closedNote = (folder: string): StoreNote => ({
  id: folder,
  message: `${folder} was open to other users, and is not any more`,
});

/** How many entries of the plan these changes leave as they are. */
export function keptOf(plan: CertificatePlan, changes: readonly StoreChange[]): number {
  return planIds(plan).length - changes.filter(({ kind }) => kind !== 'revocation-list').length;
}

export function stopped(problems: readonly StoreProblem[]): KbinError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) {
    const { message, why, next } = first;
    return new KbinError(message, { step: 'certificate store', why: `${why}; nothing was changed`, next });
  }
  const lines = problems.map(({ message, why, next }) => `- ${message}: ${why}\n  next: ${next}`);
  return new KbinError(`the certificate store has ${problems.length} problems; nothing was changed`, {
    step: 'certificate store',
    next: 'mend each as said below, and run the command again',
    output: lines.join('\n'),
  });
}
