import { createPrivateKey } from 'node:crypto';
import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { archived, filesOf, lastRetired } from './authority-files.ts';
import { sealing } from './authority-keys.ts';
import { issueAuthority } from './issue.ts';
import { generateKeyPair, isEncrypted } from './keys.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import { nextAuthority } from './next-authority.ts';
import { isWithoutKeys, observeStore, readRaw } from './observed-store.ts';
import { overlay } from './overlay.ts';
import { stopped } from './reconcile.ts';
import { revocationPaths } from './revocation.ts';
import { type AdvanceInput, atRest, type RotationKind, type RotationPhase } from './rotation.ts';
import { applyChanges } from './store-apply.ts';
import type { StoreDiff } from './store-changes.ts';
import { diffStore } from './store-diff.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';
import type { StoreFile, Transaction } from './transaction.ts';
import { refuseWaiting, waitingRequests } from './waiting.ts';

export const trust = 0;
export const issue = 1;

/**
 * A CA and the one that follows it. In the store:
 *
 *     trust  next/<ca>/ca.crt is there, whoever put it there: it is trusted beside the one in use, and signs nothing
 *     issue  it is the one in use and has signed everything anew; previous/<ca>/ca.crt is trusted still
 *     rest   there is neither
 *
 * The key of the old one goes to archive/ at `issue`, with its certificate.
 */
export function authorityRotation(id: string): RotationKind {
  return {
    id,
    phases: phases.map((phase, index) => ({ ...phase, ...meanwhile[id]?.[index] })),
    phase: (files) => phaseOf(id, files),
    advance: (input) => advance(id, input),
    since: (files) => lastRetired(id, files),
  };
}

const phases: readonly RotationPhase[] = [
  { name: 'trust', says: 'both CAs are trusted everywhere, and the old one signs' },
  { name: 'issue', says: 'the new CA has signed everything, and both are trusted still' },
];

/** By the CA's id, one for each phase. */
const meanwhile: Readonly<Record<string, readonly Pick<RotationPhase, 'meanwhile'>[]>> = {
  'kubernetes-ca': [
    {
      meanwhile:
        'make kubeconfigs anew (`kbin kubeconfig`), since those from before do not trust the new CA; restart Pods that talk to the apiserver',
    },
    {
      meanwhile:
        'make kubeconfigs anew once more, since after the next phase what the old CA signed is refused',
    },
  ],
};

function phaseOf(id: string, files: StoreFiles): number {
  const isThere = (beside: 'next' | 'previous'): boolean =>
    files.read(pathsBeside(beside, id).certificate ?? '').state !== 'absent';
  if (isThere('previous')) return issue;
  return isThere('next') ? trust : atRest;
}

interface Step extends AdvanceInput {
  readonly authority: PlannedAuthority;
  readonly files: StoreFiles;
  readonly transaction: Transaction;
}

async function advance(id: string, input: AdvanceInput): Promise<void> {
  const { plan, store, from, command } = input;
  const authority = plan.authorities.find((one) => one.id === id);
  if (authority === undefined) throw new Error(`${id} is no CA of the plan`);
  await store.withLock(
    async (transaction) => {
      const files = diskFiles(store.folder);
      if (phaseOf(id, files) !== from) return;
      const step = { ...input, authority, files, transaction };
      if (from === atRest) await beginTrust(step);
      else if (from === trust) await beginIssue(step);
      else await drop(step);
    },
    { command },
  );
}

/** The new CA is made as `pki init` would make one: with the subject, key type and validity that cluster.yaml says now. */
async function beginTrust(step: Step): Promise<void> {
  const { authority, files, transaction, now } = step;
  const { id } = authority;
  const diff = await storeDiff(step, files);
  refuseOtherChanges(step, diff.changes);
  const next = pathsBeside('next', id);
  if ([next.key, next.request].some((path) => files.read(path).state !== 'absent')) {
    throw waiting(id, files.place(next.request));
  }
  const pair = await generateKeyPair(authority.key);
  const { pem } = issueAuthority({ ...authority, spki: pair.spki, now }, createPrivateKey(pair.pem));
  const seal = await sealing(files, step.store.passphrase);
  for (const file of filesOf(next, pem, seal(pair.pem), pair.pem)) transaction.stage(file);
}

function waiting(id: string, request: string): KbinError {
  return new KbinError(`the next ${id} waits for its certificate`, {
    step: 'certificate store',
    why: `its key was made here, and ${request} is to be signed outside`,
    next: 'have it signed and run `kbin pki adopt FILE`, or remove key and request to have a CA made here',
  });
}

/** All at once: the new CA in its place, everything that the old one signed for signed anew, the old one in its two places. */
async function beginIssue(step: Step): Promise<void> {
  const { authority, files, transaction, now, store } = step;
  const { id } = authority;
  refuseRequests(
    step,
    'what the next CA does not sign anew is refused when the present one is no longer trusted',
  );
  refuseOtherChanges(step, (await storeDiff(step, files)).changes);
  const leafHours = Math.max(...authority.leaves.map(({ validityHours }) => validityHours));
  const next = await nextAuthority(id, files, { now, passphrase: store.passphrase, leafHours });
  const passphrase = isEncrypted(next.key) ? (await store.passphrase()).value : undefined;
  const own = pathsOf(id);
  const old = files.read(own.certificate ?? '');
  if (old.state !== 'read') throw new Error(`${id} cannot be read`);
  const put: StoreFile[] = [
    ...filesOf(own, next.certificate, next.key, next.plain),
    {
      path: pathsBeside('previous', id).certificate ?? '',
      content: old.content.toString('utf8'),
      mode: 0o644,
    },
    ...archived(id, files, now),
  ];
  const { certificate = '', key, keyDigest, request } = pathsBeside('next', id);
  const removed = [certificate, key, keyDigest, request];
  const after = overlay(files, put, removed);
  const { changes } = await storeDiff(step, after);
  const observed = await observeStore(step.plan, readRaw(step.plan, after), passphrase);
  for (const file of put) transaction.stage(file);
  for (const path of removed) transaction.remove(path);
  await applyChanges(step.plan, changes, { now, store: observed, stage: transaction.stage });
}

async function drop(step: Step): Promise<void> {
  const { authority, files, transaction } = step;
  refuseRequests(step, 'it may be signed by the former CA still, which would be trusted no more');
  refuseOtherChanges(step, (await storeDiff(step, files)).changes);
  transaction.remove(pathsBeside('previous', authority.id).certificate ?? '');
  const { pem, der } = revocationPaths(authority.id);
  for (const path of [pem, der]) transaction.remove(`previous/${path}`);
}

/** A leaf that waits is not issued anew, and so would stay with the CA that signed it. */
function refuseRequests({ authority, files }: Step, why: string): void {
  const ids = authority.leaves.map(({ id }) => id);
  refuseWaiting(waitingRequests(ids, files), files.place, { step: `rotate ${authority.id}`, why });
}

/** Throws where something is wrong with the store, or where it is a copy without its keys. */
async function storeDiff({ plan, now }: Step, files: StoreFiles): Promise<StoreDiff> {
  const observed = await observeStore(plan, readRaw(plan, files), undefined);
  const diff = diffStore(plan, observed, now, files.place);
  if (diff.problems.length > 0) throw stopped(diff.problems);
  if (!isWithoutKeys(plan, observed)) return diff;
  throw new KbinError('there is no private key in this pki folder', {
    step: 'certificate store',
    why: 'a CA made in a copy of the store would be known to nobody else',
    next: 'rotate where the keys are kept',
  });
}

/** What cluster.yaml wants besides belongs to a deploy of its own, so that what goes wrong has one reason. */
function refuseOtherChanges({ authority }: Step, changes: StoreDiff['changes']): void {
  if (changes.length === 0) return;
  throw new KbinError(`the certificate store is not what cluster.yaml wants`, {
    step: `rotate ${authority.id}, nothing was changed`,
    why: changes
      .map(({ id, reasons }) => `${id}: ${reasons.map(({ message }) => message).join('; ')}`)
      .join('\n'),
    next: 'run `kbin pki init` and deploy what it makes, and then rotate',
  });
}
