import type { Change } from '../diff/changes.ts';
import { commitAndProve } from './gate.ts';
import { unprovenPlaces } from './leftovers.ts';
import { checkpoint, clearUp, onAll, type Work, type Workplace } from './work.ts';

/** What is particular to a component that runs on several hosts side by side. */
export interface Kind {
  /** `kube-apiserver`. */
  readonly component: string;
  /** What progress says of a restart, when there is more to say than that. */
  readonly restarting?: string;
  /** Proves that it is healthy with what its task says. `within` seconds, the run's own patience by default. */
  readonly prove: (place: Workplace, began: number, within?: number) => Promise<unknown>;
  /** Of processes that run as they should: those that are not healthy now. */
  readonly unwell: (places: readonly Workplace[]) => Promise<readonly Workplace[]>;
  /** Which of these may be restarted next, as things are now. Rejects when none may. */
  readonly next: (pending: readonly Workplace[]) => Promise<Workplace>;
  /** Before one that runs and is not healthy is restarted: rejects where that cannot help, or is not known to be so. */
  readonly refuseWaking: (place: Workplace) => Promise<void>;
}

/** Seconds that a process which runs as it should and is not healthy has before it is restarted. */
const patience = 30;

/**
 * One component on all hosts: those that are down first and together (that disturbs nobody), then what needs no restart,
 * then those that run and are not healthy, then what a run that was cut off has changed and not proven, then restarts
 * one at a time, each proven before the next.
 *
 * @returns names of the hosts where it had to be restarted only because it did not answer
 */
export async function rollOutInstances(
  work: Work,
  kind: Kind,
  places: readonly Workplace[],
): Promise<string[]> {
  const { component } = kind;
  const down = places.filter(({ task }) => task.plan.disruption === 'start');
  if (down.length > 0) {
    checkpoint(work, `before ${component} is started on ${namesOf(down)}`);
    await onAll(work, down, (place) => bring(work, kind, place));
  }
  for (const place of places.filter(isQuiet)) {
    checkpoint(work, `before ${component} on ${place.name} is changed`);
    await bring(work, kind, place);
  }
  const woken = await wake(work, kind, places.filter(isRunningAsWanted));
  for (const place of places.filter((one) => isRunningAsWanted(one) && isUnproven(one))) {
    work.progress.step(place.name, 'proving what an earlier run has changed');
    await kind.prove(place, 0);
  }
  await restartOneByOne(
    work,
    kind,
    places.filter(({ task }) => task.plan.disruption === 'restart'),
  );
  return woken;
}

async function restartOneByOne(work: Work, kind: Kind, restarting: readonly Workplace[]): Promise<void> {
  let pending = restarting;
  while (pending.length > 0) {
    const done = restarting.length - pending.length;
    checkpoint(work, `${done} of ${restarting.length} restarts of ${kind.component} are done`);
    const place = await kind.next(pending);
    await bring(work, kind, place);
    pending = pending.filter((other) => other !== place);
  }
}

/** It may just be starting, so it gets some time first. */
async function wake(work: Work, kind: Kind, running: readonly Workplace[]): Promise<string[]> {
  const woken: string[] = [];
  for (const place of await kind.unwell(running)) {
    checkpoint(work, `before ${kind.component} on ${place.name}, which is not healthy, is seen to`);
    work.progress.step(place.name, 'waiting: it runs and is not healthy');
    if (await isWellSoon(work, kind, place)) continue;
    await kind.refuseWaking(place);
    await bring(work, kind, restarting(await kind.next([place])));
    woken.push(place.name);
  }
  return woken;
}

async function isWellSoon(work: Work, kind: Kind, place: Workplace): Promise<boolean> {
  try {
    await kind.prove(place, 0, Math.min(patience, work.within));
    return true;
  } catch {
    return false;
  }
}

/** What a restart of one that runs and is not healthy is called in plans. */
export function wakingChange(unit: string): Change {
  return { kind: 'unit', target: unit, action: 'restart', reason: 'runs and is not healthy' };
}

function restarting(place: Workplace): Workplace {
  const { task } = place;
  const changes = [wakingChange(task.component.unit.name)];
  return { ...place, task: { ...task, plan: { ...task.plan, changes, disruption: 'restart' } } };
}

async function bring(work: Work, kind: Kind, place: Workplace): Promise<void> {
  await commitAndProve(work, place, kind.prove, kind.restarting);
  await clearUp(work, place);
}

/** After a quiet change was proven, too. */
function isRunningAsWanted({ task }: Workplace): boolean {
  return task.plan.disruption === 'none' && task.plan.changes.length === 0;
}

function isUnproven({ task }: Workplace): boolean {
  return unprovenPlaces(task).length > 0;
}

function isQuiet({ task }: Workplace): boolean {
  return task.plan.disruption === 'none' && task.plan.changes.length > 0;
}

function namesOf(places: readonly Workplace[]): string {
  return places.map(({ name }) => name).join(', ');
}
