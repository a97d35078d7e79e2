import { authorityKeyPaths, encryptedAuthorityKey } from '../../ca/authority-keys.ts';
import { compareStore, keptOf, reconcileStore, stopped } from '../../ca/reconcile.ts';
import { openStore } from '../../ca/store.ts';
import type { AppliedChange } from '../../ca/store-apply.ts';
import type { StoreNote } from '../../ca/store-changes.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import type { Io } from '../io.ts';
import { printJson, printTable, printWarning } from '../output.ts';
import { newPassphraseOf, type PassphraseOptions, passphraseOf } from '../passphrase.ts';

interface Outcome {
  readonly folder: string;
  readonly dryRun: boolean;
  readonly changes: readonly AppliedChange[];
  /** How many entries of the plan are as they should be. */
  readonly kept: number;
  readonly notes: readonly StoreNote[];
}

export interface InitOptions extends PassphraseOptions {
  readonly dryRun?: boolean;
  readonly encryptCaKeys?: boolean;
}

export async function pkiInit(context: CliContext, options: InitOptions): Promise<void> {
  const { io } = context;
  const outcome = await (options.dryRun === true ? compare(context) : carryOut(context, options));
  if (context.json) printJson(io, outcome);
  else if (outcome.changes.length === 0) {
    io.out(`nothing to do: ${outcome.kept} certificates and keys are what cluster.yaml wants\n`);
  } else printChanges(io, outcome.changes);
  warn(io, outcome);
}

async function carryOut(context: CliContext, options: InitOptions): Promise<Outcome> {
  const { io } = context;
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const folder = `${cluster.folder}/pki`;
  const encrypts = options.encryptCaKeys === true && encryptsAnew(folder);
  const store = await openStore(
    folder,
    encrypts ? newPassphraseOf(context, options.passphraseFile, givenLike) : passphraseOf(context, options),
  );
  const { applied, kept, notes } = await reconcileStore(plan, store, {
    now: new Date(),
    encryptAuthorityKeys: encrypts,
    command: 'kbin pki init',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  return { folder: store.folder, dryRun: false, changes: applied, kept, notes };
}

const givenLike = { variable: 'KBIN_CA_PASSPHRASE', option: '--passphrase-file' };

/** Whether there is no encrypted CA key yet, whose passphrase the new ones would get. Throws where there are plain ones. */
function encryptsAnew(folder: string): boolean {
  return readConsistently(folder, (files) => {
    if (encryptedAuthorityKey(files) !== undefined) return false;
    const [plain] = authorityKeyPaths(files);
    if (plain === undefined) return true;
    throw new KbinError(`${files.place(plain)} is there, and is not encrypted`, {
      why: 'all CA keys have the same passphrase or none; nothing was changed',
      next: 'encrypt those that there are: kbin pki passphrase',
    });
  });
}

async function compare(context: CliContext): Promise<Outcome> {
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const folder = `${cluster.folder}/pki`;
  const { diff } = await compareStore(plan, folder, { now: new Date() });
  if (diff.problems.length > 0) throw stopped(diff.problems);
  const kept = keptOf(plan, diff.changes);
  return { folder, dryRun: true, changes: diff.changes, kept, notes: diff.notes };
}

/** What was made in the store, or would be, as a table. */
export function printChanges(io: Io, changes: readonly AppliedChange[]): void {
  printTable(
    io,
    ['action', 'name', 'valid until', 'why'],
    changes.map(({ action, id, notAfter, reasons }) => [
      action,
      id,
      notAfter?.toISOString().slice(0, 10),
      reasons.map(({ message }) => message).join('; '),
    ]),
  );
}

function warn(io: Io, { folder, dryRun, changes, notes }: Outcome): void {
  for (const { message } of notes) printWarning(io, message);
  warnOfClamped(io, changes);
  if (!dryRun && changes.some(({ kind, action }) => kind === 'authority' && action === 'create')) {
    io.err(`${folder} now holds the CA keys: back it up, nothing can bring them back\n`);
  }
}

/** Of certificates that end with their CA, earlier than cluster.yaml would have it. */
export function warnOfClamped(io: Io, changes: readonly AppliedChange[]): void {
  const clamped = changes.filter((change) => change.clamped === true);
  const [first] = clamped;
  if (first !== undefined) {
    const names = clamped.map(({ id, notAfter }) => `${id} (${notAfter?.toISOString().slice(0, 10)})`);
    printWarning(
      io,
      `shorter than pki.validity.leaf, since no certificate outlives its CA: ${names.join(', ')}`,
    );
  }
}
