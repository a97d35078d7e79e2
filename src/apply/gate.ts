import { KbinError } from '../errors.ts';
import { commitment, hasFormerFiles, withdrawal } from './commit.ts';
import { act } from './operations.ts';
import type { Work, Workplace } from './work.ts';

/**
 * Proves that a component is healthy with what its task says, `began` being what `act` returned; resolves with what it
 * saw. A proof that fails is a KbinError that says why.
 */
export type Proof<P extends Workplace, T> = (place: P, began: number) => Promise<T>;

/**
 * Puts a component's changes in force on one host and proves that it is healthy with them. One that was up before and is
 * not afterwards gets its former files back; either way a failure ends the rollout.
 */
export async function commitAndProve<P extends Workplace, T>(
  work: Pick<Work, 'progress'>,
  place: P,
  prove: Proof<P, T>,
  restarting = 'restarting',
): Promise<T> {
  const { host, name, task } = place;
  const words = { none: 'changing', start: 'starting', restart: restarting };
  work.progress.step(name, words[task.plan.disruption]);
  try {
    const began = await act(host, 'commit', commitment(task));
    return await prove(place, began);
  } catch (error) {
    if (task.plan.disruption === 'start' || !hasFormerFiles(task)) throw error;
    throw await withdraw(work, place, prove, error);
  }
}

/** How that went, in a clause. */
async function bringBack<P extends Workplace>(place: P, prove: Proof<P, unknown>): Promise<string> {
  const { host, task } = place;
  // What it serves and presents is the former then, which nothing here has.
  const component = { ...task.component, bundles: [] };
  const former = { ...place, task: { ...task, component, plan: { ...task.plan, changes: [] } } };
  let began: number | undefined;
  try {
    began = await act(host, 'bring back', withdrawal(task));
    await prove(former, began);
    return 'its former files are back and it is healthy with them; no other host was changed after it';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return began === undefined
      ? `its former files could not be brought back (${reason})`
      : `its former files are back, but it is not healthy with them either (${reason})`;
  }
}

async function withdraw<P extends Workplace>(
  work: Pick<Work, 'progress'>,
  place: P,
  prove: Proof<P, unknown>,
  error: unknown,
): Promise<unknown> {
  const { name } = place;
  work.progress.fail(name, 'not healthy: bringing its former files back');
  const outcome = await bringBack(place, prove);
  work.progress.fail(name, outcome);
  if (!(error instanceof KbinError)) return error;
  const { why, next, ...details } = error.details;
  return new KbinError(error.message, {
    ...details,
    host: name,
    why: [why, outcome].filter((part) => part !== undefined).join('; '),
    next: next ?? 'Correct what the journal names and run kbin again.',
    cause: error,
  });
}
