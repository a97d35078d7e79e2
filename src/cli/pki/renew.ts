import { planIds } from '../../ca/observed-store.ts';
import { compareStore, reconcileStore, stopped } from '../../ca/reconcile.ts';
import { openStore } from '../../ca/store.ts';
import type { AppliedChange } from '../../ca/store-apply.ts';
import type { StoreNote } from '../../ca/store-changes.ts';
import { Mistake } from '../../cluster/mistake.ts';
import { readValidity } from '../../cluster/quantity.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import type { DeployName } from '../deploy-kinds.ts';
import type { DeployOptions } from '../deploy-options.ts';
import { type DeployRun, deploysOf, runDeploy } from '../deploys.ts';
import type { Io } from '../io.ts';
import { printJson, printWarning } from '../output.ts';
import { passphraseOf } from '../passphrase.ts';
import { printChanges, warnOfClamped } from './init.ts';
import { chooseRenewals, type LeftOut, type Renewals, type Wanted } from './renew-choice.ts';

export interface RenewOptions extends DeployOptions {
  readonly all?: boolean;
  readonly within?: string;
  readonly sameKey?: boolean;
  readonly deploy?: boolean;
}

interface Renewed {
  readonly folder: string;
  readonly dryRun: boolean;
  readonly changes: readonly AppliedChange[];
  readonly left: readonly LeftOut[];
  readonly nextToEnd?: Renewals['nextToEnd'];
  readonly notes: readonly StoreNote[];
}

export async function pkiRenew(
  context: CliContext,
  names: readonly string[],
  options: RenewOptions,
): Promise<void> {
  const { io } = context;
  const wanted = wantedBy(names, options);
  const renewed = await renew(context, wanted, options);
  const cluster = await context.cluster();
  const needed = deploysOf(
    cluster,
    renewed.changes.map(({ id }) => id),
  );
  if (!context.json) {
    if (renewed.changes.length > 0) printChanges(io, renewed.changes);
    else io.out(`nothing to renew${soonest(renewed)}\n`);
  }
  warn(io, renewed);
  // All of them: what an interrupted run renewed may still have to be brought.
  const runs =
    options.deploy === true
      ? await deploy(context, deploysOf(cluster, planIds(certificatePlan(cluster))), options)
      : [];
  const next = options.deploy === true || renewed.dryRun ? [] : commandsOf(needed);
  if (context.json) {
    printJson(io, {
      ...renewed,
      next,
      deploys: Object.fromEntries(runs.map(({ name, report }) => [name, report])),
    });
  } else if (next.length > 0) io.err(`next: ${next.join(', then ')}\n`);
  tellOfKubeconfigs(io, renewed);
  if (runs.some(({ report }) => !report.healthy)) context.exit(exitCode.unhealthy);
}

/** Hours; a hundred years will do. */
const readWithin = readValidity(1, 876_000);

function wantedBy(names: readonly string[], { all, within, dryRun, deploy: deploys }: RenewOptions): Wanted {
  const usage = (message: string, next = 'see `kbin pki renew --help`'): KbinError =>
    new KbinError(message, { next, exit: exitCode.usage });
  const given = [
    ...(names.length > 0 ? ['names'] : []),
    ...(all === true ? ['--all'] : []),
    ...(within === undefined ? [] : ['--within']),
  ];
  if (given.length === 0) {
    throw usage('what is to be renewed?', 'give names out of "kbin pki list", --all, or --within 90d');
  }
  if (given.length > 1) throw usage(`${given.join(' and ')} do not go together: each says what is renewed`);
  if (dryRun === true && deploys === true) throw usage('--dry-run renews nothing that --deploy could bring');
  if (within === undefined) return all === true ? { all } : { names };
  const hours = readWithin(within);
  if (hours instanceof Mistake) throw usage(`--within: ${hours.message}`);
  return { withinHours: hours };
}

/** With nothing to renew nothing is changed, not even what `kbin pki init` would. */
async function renew(context: CliContext, wanted: Wanted, options: RenewOptions): Promise<Renewed> {
  const { io } = context;
  const { sameKey = false, dryRun = false } = options;
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const folder = `${cluster.folder}/pki`;
  const now = new Date();
  const { observed } = await compareStore(plan, folder, { now });
  const { ids, renew: renewals, ...rest } = chooseRenewals(plan, observed, wanted, { sameKey, now });
  if (dryRun || ids.length === 0) {
    const { diff } = await compareStore(plan, folder, { now, renew: renewals });
    if (ids.length > 0 && diff.problems.length > 0) throw stopped(diff.problems);
    return { folder, dryRun, changes: ids.length > 0 ? diff.changes : [], ...rest, notes: diff.notes };
  }
  const store = await openStore(folder, passphraseOf(context, options));
  const { applied, notes } = await reconcileStore(plan, store, {
    now,
    renew: renewals,
    command: 'kbin pki renew',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  return { folder, dryRun, changes: applied, ...rest, notes };
}

async function deploy(
  context: CliContext,
  names: readonly DeployName[],
  options: RenewOptions,
): Promise<readonly DeployRun[]> {
  const runs: DeployRun[] = [];
  for (const name of names) {
    const run = await runDeploy(context, name, options);
    runs.push(run);
    if (!context.json) {
      context.io.out('\n');
      await run.print();
    }
    // What comes after it would be built on sand.
    if (!run.report.healthy) break;
  }
  return runs;
}

function commandsOf(deploys: readonly DeployName[]): readonly string[] {
  return deploys.map((name) => `kbin ${name} deploy`);
}

function soonest({ nextToEnd }: Renewed): string {
  return nextToEnd === undefined
    ? ''
    : `: the first to end is ${nextToEnd.id}, on ${day(nextToEnd.notAfter)}`;
}

function warn(io: Io, { changes, left, notes }: Renewed): void {
  for (const { message } of notes) printWarning(io, message);
  warnOfClamped(io, changes);
  for (const { id, notAfter, why, authority } of left) {
    const how = `kbin pki renew ${authority} --same-key`;
    printWarning(
      io,
      why === 'authority'
        ? `${id} ends on ${day(notAfter)}, and is renewed only when it is named: ${how}`
        : `${id} ends on ${day(notAfter)} together with ${authority}, which has to be renewed first: ${how}`,
    );
  }
}

function tellOfKubeconfigs(io: Io, { changes, dryRun }: Renewed): void {
  if (dryRun || !changes.some(({ id }) => id === 'admin')) return;
  io.err(
    'files written by `kbin kubeconfig admin` hold the former certificate, and work until that one ends: write them anew\n',
  );
}

const day = (date: Date): string => date.toISOString().slice(0, 10);
