import { planIds } from '../../ca/observed-store.ts';
import { atRest, nextPhase, phaseName, type RotationKind } from '../../ca/rotation.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import type { CliContext } from '../context.ts';
import { type DeployOptions, wholeNumber } from '../deploy-options.ts';
import { deploysOf, runDeploy } from '../deploys.ts';
import { printJson } from '../output.ts';
import { passphraseOf } from '../passphrase.ts';
import { rotationOf } from './live-rotations.ts';
import { named, printRotation, type Rotated } from './rotate-report.ts';
import { nameOf, notInForce, otherChanges, refuseUnreached, unhealthy } from './rotation-refusals.ts';
import {
  isProven,
  phaseOf,
  type RunOptions,
  type Standing,
  standingOf,
  withRotation,
} from './rotation-run.ts';
import type { Gate, LiveRotation, RotationAllowances, RotationRun } from './rotations.ts';

export interface RotateOptions extends DeployOptions {
  readonly all?: boolean;
  readonly again?: boolean;
  readonly dropUnexpired?: Gate;
  readonly nodesReady?: Gate;
  readonly dropTokens?: boolean;
}

function runOptions(context: CliContext, options: Omit<RotateOptions, 'wait'>): RunOptions {
  return {
    passphrase: passphraseOf(context, options),
    ...(options.acceptNewHostKeys === undefined ? {} : { acceptNewHostKeys: options.acceptNewHostKeys }),
    allow: allowances(options),
  };
}

function allowances({
  dropUnexpired,
  nodesReady,
  dropTokens,
}: Omit<RotateOptions, 'wait'>): RotationAllowances {
  return {
    ...(dropUnexpired === undefined ? {} : { dropUnexpired }),
    ...(nodesReady === undefined ? {} : { nodesReady }),
    dropTokens: dropTokens === true,
  };
}

/**
 * How `--all` goes on after its first phase. Tokens of the old key are in use everywhere in the hour after the new one
 * begins to sign: a run that brings that about never drops them as well.
 */
export const goingOn = (options: RotateOptions): RotateOptions => ({ ...options, dropTokens: false });

/** One phase, or with --all what is left of them. Throws KbinError wherever a phase is not in force on every host. */
export async function pkiRotate(context: CliContext, id: string, options: RotateOptions): Promise<void> {
  rotationOf(id);
  // Before pki/ is changed, not when it comes to the deploys.
  wholeNumber('--wait', options.wait, 'kbin pki rotate');
  if (options.parallel !== undefined) wholeNumber('--parallel', options.parallel, 'kbin pki rotate');
  let done = await onePhase(context, id, options);
  if (!context.json) printRotation(context.io, done);
  while (options.all === true && done.phase !== 'rest' && !context.interrupt().aborted) {
    done = await onePhase(context, id, goingOn(options));
    if (!context.json) printRotation(context.io, done);
  }
  if (context.json) printJson(context.io, done);
}

/** What there is to be done: nothing, the rest of the phase at hand, or the next one. */
type Step = 'nothing' | 'carry on' | 'begin';

async function onePhase(context: CliContext, id: string, options: RotateOptions): Promise<Rotated> {
  const { step, standing, kind, deploys } = await withRotation(
    context,
    id,
    runOptions(context, options),
    (rotation, run) => decideAndBegin(rotation, run, options),
  );
  if (step === 'nothing') return reportOf(kind, standing, false);
  for (const name of deploys) {
    const { report } = await runDeploy(context, name, options);
    if (!report.healthy) throw unhealthy(id, name);
  }
  return withRotation(context, id, runOptions(context, options), async (rotation, run) => {
    await rotation.finish?.(phaseOf(run, rotation));
    const now = await standingOf(run, rotation);
    refuseUnreached(kind, now);
    if (!isProven(now)) throw notInForce(kind, now);
    await rotation.proven?.(now.phase);
    return reportOf(kind, now, true);
  });
}

interface Decision {
  readonly step: Step;
  readonly standing: Standing;
  readonly kind: RotationKind;
  readonly deploys: LiveRotation['deploys'];
}

async function decideAndBegin(
  rotation: LiveRotation,
  run: RotationRun,
  options: RotateOptions,
): Promise<Decision> {
  const { kind, deploys } = rotation;
  const standing = await standingOf(run, rotation);
  refuseUnreached(kind, standing);
  const step = decide(kind, standing, run, options);
  const plan = certificatePlan(run.cluster);
  // Where no host has anything of it yet, pki/ is all that there is to change.
  const possible = deploysOf(run.cluster, planIds(plan));
  const decision = {
    step,
    standing,
    kind,
    deploys: deploys.filter((name) => possible.includes(name)),
  };
  if (!isProven(standing)) {
    run.say(`${kind.id}: carrying on with ${nameOf(kind, standing.phase)}`);
    return decision;
  }
  // What a run that was cut off has left of the last one.
  if (standing.phase === atRest) await rotation.finish?.(atRest);
  await rotation.proven?.(standing.phase);
  if (step === 'nothing') return decision;
  await rotation.before?.(standing.phase);
  run.say(`${kind.id}: beginning ${nameOf(kind, nextPhase(kind, standing.phase))}`);
  await kind.advance({
    plan,
    store: run.store,
    now: run.now(),
    from: standing.phase,
    command: `kbin pki rotate ${kind.id}`,
  });
  return decision;
}

/** Days in which a finished rotation is not taken for a wish to begin another one. */
const recent = 30;

function decide(kind: RotationKind, standing: Standing, run: RotationRun, { again }: RotateOptions): Step {
  const { phase, proofs } = standing;
  const proven = isProven(standing);
  if (phase !== atRest) return proven ? 'begin' : 'carry on';
  const ended = again !== true && isRecent(kind, run);
  if (proven) return ended ? 'nothing' : 'begin';
  // A host that was not told yet of the end of the last rotation, or was told and did not get as far as a restart.
  const isBehind = proofs.some((proof) => proof.phase !== undefined && proof.phase !== atRest);
  if (isBehind || ended) return 'carry on';
  throw otherChanges(kind, standing);
}

function isRecent(kind: RotationKind, { store, now }: RotationRun): boolean {
  const since = readConsistently(store.folder, (files) => kind.since?.(files));
  return since !== undefined && now().getTime() - since.getTime() < recent * 86_400_000;
}

function reportOf(kind: RotationKind, { phase, proofs }: Standing, changed: boolean): Rotated {
  const { says = 'no rotation is under way', meanwhile } = kind.phases[phase] ?? {};
  const next = nextPhase(kind, phase);
  return {
    rotation: kind.id,
    phase: phaseName(kind, phase),
    says,
    changed,
    hosts: proofs.map((proof) => named(kind, proof)),
    ...(phase === atRest ? {} : { next: next === atRest ? 'rest' : phaseName(kind, next) }),
    ...(meanwhile === undefined ? {} : { meanwhile }),
  };
}
