import { planIds } from '../ca/observed-store.ts';
import { compareStore, reconcileStore, stopped } from '../ca/reconcile.ts';
import { openStore } from '../ca/store.ts';
import type { AppliedChange } from '../ca/store-apply.ts';
import type { StoreNote } from '../ca/store-changes.ts';
import { certificatePlan } from '../desired/certificates.ts';
import type { CliContext } from './context.ts';
import type { Io } from './io.ts';
import { printJson, printTable, printWarning } from './output.ts';

interface Outcome {
  readonly folder: string;
  readonly dryRun: boolean;
  readonly changes: readonly AppliedChange[];
  /** How many entries of the plan are as they should be. */
  readonly kept: number;
  readonly notes: readonly StoreNote[];
}

export async function pkiInit(context: CliContext, dryRun: boolean): Promise<void> {
  const { io } = context;
  const outcome = await (dryRun ? compare(context) : carryOut(context));
  if (context.json) printJson(io, outcome);
  else if (outcome.changes.length === 0) {
    io.out(`nothing to do: ${outcome.kept} certificates and keys are what cluster.yaml wants\n`);
  } else printChanges(io, outcome.changes);
  warn(io, outcome);
}

async function carryOut(context: CliContext): Promise<Outcome> {
  const { io } = context;
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const store = await openStore(`${cluster.folder}/pki`);
  const { applied, kept, notes } = await reconcileStore(plan, store, {
    now: new Date(),
    passphrase: io.env.KBIN_CA_PASSPHRASE,
    command: 'kbin pki init',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  return { folder: store.folder, dryRun: false, changes: applied, kept, notes };
}

async function compare(context: CliContext): Promise<Outcome> {
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const folder = `${cluster.folder}/pki`;
  const { diff } = await compareStore(plan, folder, {
    now: new Date(),
    passphrase: context.io.env.KBIN_CA_PASSPHRASE,
  });
  if (diff.problems.length > 0) throw stopped(diff.problems);
  const kept = planIds(plan).length - diff.changes.length;
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
