import { createHash, createPublicKey } from 'node:crypto';
import { basename } from 'node:path/posix';
import { serviceAccount } from '../../pki/service-account.ts';
import { KbinError } from '../errors.ts';
import { digestLine } from './digest.ts';
import { generateKeyPair, publicKeyPem } from './keys.ts';
import { pathsBeside, pathsOf, type StorePaths } from './layout.ts';
import { type AdvanceInput, atRest, type RotationKind } from './rotation.ts';
import type { Store } from './store.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';
import type { StoreFile, Transaction } from './transaction.ts';

export const verify = 0;
export const sign = 1;

const { id } = serviceAccount;

/**
 * When the last signer stopped using the key whose public part lies beside it (ISO 8601, UTC): tokens live for some time
 * from then on. Written in the file, since a copy of pki/ has other file times.
 */
const stoppedFile = `previous/${id}/sa.signed-until`;

/**
 * The key that service-account tokens are signed with, and the one that follows it. In the store:
 *
 *     verify  next/service-account/ has the new pair: tokens that it signs would be accepted everywhere
 *     sign    the new pair is the one in use; previous/service-account/sa.pub verifies what the old one signed
 *     rest    there is neither
 *
 * The old pair goes to archive/ at `sign`.
 */
export const serviceAccountRotation: RotationKind = {
  id,
  phases: [
    { name: 'verify', says: 'tokens of both keys are accepted everywhere, and the old key signs' },
    {
      name: 'sign',
      says: 'the new key signs, and tokens of the old one are accepted still',
      meanwhile:
        'tokens of the old key come to their end; restart programs that read their token once and never again',
    },
  ],
  phase: phaseOf,
  since: lastRetired,
  advance: ({ store, from, command, plan, now }) =>
    store.withLock(
      async (transaction) => {
        const files = diskFiles(store.folder);
        if (phaseOf(files) !== from) return;
        if (from === atRest) await beginVerify(plan, files, transaction);
        else if (from === verify) beginSign(files, transaction, now);
        else drop(transaction);
      },
      { command },
    ),
};

function phaseOf(files: StoreFiles): number {
  const isThere = (beside: 'next' | 'previous'): boolean =>
    files.read(publicKeyIn(pathsBeside(beside, id))).state !== 'absent';
  if (isThere('previous')) return sign;
  return isThere('next') ? verify : atRest;
}

async function beginVerify(
  plan: AdvanceInput['plan'],
  files: StoreFiles,
  transaction: Transaction,
): Promise<void> {
  const planned = plan.keyPairs.find((pair) => pair.id === id);
  if (planned === undefined) throw new Error(`${id} is not in the plan`);
  for (const path of [pathsOf(id).key, publicKeyIn(pathsOf(id))]) contentOf(files, path);
  const pair = await generateKeyPair(planned.key);
  for (const file of pairFiles(pathsBeside('next', id), pair.pem, publicKeyPem(pair.spki))) {
    transaction.stage(file);
  }
}

/** The old public key goes on being one that tokens are verified with, in the same moment. */
function beginSign(files: StoreFiles, transaction: Transaction, now: Date): void {
  const [own, next, previous] = [pathsOf(id), pathsBeside('next', id), pathsBeside('previous', id)];
  const [oldKey, oldPublic] = [contentOf(files, own.key), contentOf(files, publicKeyIn(own))];
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  const stem = `archive/${id}/sa-${day}-${pieceOf(oldPublic)}`;
  const retired = { key: `${stem}.key`, keyDigest: `${stem}.key.sha256`, publicKey: `${stem}.pub` };
  for (const file of [
    ...pairFiles(own, contentOf(files, next.key), contentOf(files, publicKeyIn(next))),
    { path: publicKeyIn(previous), content: oldPublic, mode: 0o644 } as const,
    ...pairFiles(retired, oldKey, oldPublic),
  ]) {
    transaction.stage(file);
  }
  for (const path of [next.key, next.keyDigest, publicKeyIn(next)]) transaction.remove(path);
}

function drop(transaction: Transaction): void {
  transaction.remove(publicKeyIn(pathsBeside('previous', id)));
  transaction.remove(stoppedFile);
}

/** Notes that from `now` on nobody signs with the old key any more. The first such note stays. */
export function recordSignedUntil(store: Store, now: Date, command: string): Promise<void> {
  return store.withLock(
    async (transaction) => {
      const files = diskFiles(store.folder);
      if (phaseOf(files) !== sign || signedUntil(files) !== undefined) return;
      transaction.stage({ path: stoppedFile, content: `${now.toISOString()}\n`, mode: 0o644 });
    },
    { command },
  );
}

/** When the last signer stopped using the old key; undefined where nobody has noted that. */
export function signedUntil(files: StoreFiles): Date | undefined {
  const reading = files.read(stoppedFile);
  if (reading.state !== 'read') return undefined;
  const date = new Date(reading.content.toString('utf8').trim());
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Public keys in the archive. */
export function retiredFiles(files: StoreFiles): readonly string[] {
  return files.list().filter((path) => path.startsWith(`archive/${id}/`) && path.endsWith('.pub'));
}

/** The day in the name of the last one that went to the archive. */
function lastRetired(files: StoreFiles): Date | undefined {
  const days = retiredFiles(files).flatMap((path) => /sa-(\d{8})-/.exec(path)?.[1] ?? []);
  const last = days.toSorted().at(-1);
  return last === undefined ? undefined : new Date(last.replace(/^(....)(..)(..)$/, '$1-$2-$3'));
}

/** What Kubernetes writes as `kid` into the header of a token: SHA-256 of the public key (DER), base64url. */
export function keyIdOf(publicPem: string): string {
  return createHash('sha256').update(derOf(publicPem)).digest('base64url');
}

function pieceOf(publicPem: string): string {
  return createHash('sha256').update(derOf(publicPem)).digest('hex').slice(0, 8);
}

function derOf(publicPem: string): Buffer {
  return createPublicKey(publicPem).export({ type: 'spki', format: 'der' });
}

function pairFiles(
  paths: Pick<StorePaths, 'key' | 'keyDigest' | 'publicKey'>,
  key: string,
  publicKey: string,
): StoreFile[] {
  return [
    { path: paths.key, content: key, mode: 0o600 },
    { path: paths.keyDigest, content: digestLine(key, basename(paths.key)), mode: 0o644 },
    { path: publicKeyIn(paths), content: publicKey, mode: 0o644 },
  ];
}

export function publicKeyIn({ publicKey }: Pick<StorePaths, 'publicKey'>): string {
  if (publicKey === undefined) throw new Error(`${id} has no public key file`);
  return publicKey;
}

function contentOf(files: StoreFiles, path: string): string {
  const reading = files.read(path);
  if (reading.state === 'read') return reading.content.toString('utf8');
  throw new KbinError(
    `${files.place(path)} ${reading.state === 'absent' ? 'is missing' : 'cannot be read'}`,
    {
      step: 'rotate service-account, nothing was changed',
      why: reading.state === 'absent' ? 'this pki folder was made or copied without it' : reading.reason,
      next: 'rotate where the keys are kept; `kbin pki init` makes them where there are none yet',
    },
  );
}
