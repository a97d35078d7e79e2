import type { Progress } from '../cli/io.ts';
import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import { inParallel, valuesOf } from '../remote/parallel.ts';
import type { Task } from './commit.ts';
import { completion, leftoversOf } from './leftovers.ts';
import { act, type Operation } from './operations.ts';

/** One component on one host that a rollout works on. */
export interface Workplace {
  /** The host's, as in cluster.yaml. */
  readonly name: string;
  readonly host: Host;
  readonly task: Task;
}

/** What every stage of a rollout needs, whatever the component. */
export interface Work {
  /** Bytes of a secret file of the certificate store. */
  readonly readSecret: (ref: string) => Promise<Uint8Array>;
  readonly progress: Progress;
  readonly allowDowntime: boolean;
  /** Seconds that a component may take to become healthy. */
  readonly within: number;
  /** Hosts worked on at once. */
  readonly parallel: number;
  /** Aborted when the user wants to stop after the current step. */
  readonly signal?: AbortSignal;
}

/** The same on all of these hosts at once. Each is worked on to its end; what failed on any of them is thrown then. */
export async function onAll<T, R>(
  { parallel }: Pick<Work, 'parallel'>,
  places: readonly T[],
  work: (place: T) => Promise<R>,
): Promise<R[]> {
  return valuesOf(await inParallel(places, parallel, work));
}

/** Between two steps: throws when the user asked to stop. `done` says where things stand. */
export function checkpoint({ signal }: Pick<Work, 'signal'>, done: string): void {
  if (signal?.aborted === true) throw stopped(done);
}

export function stopped(where: string): KbinError {
  return new KbinError('Stopped, as you asked', {
    why: `it stands like this: ${where}; no step is half done`,
    next: 'Run the same command again: it carries on from here.',
  });
}

/** Clears up after a component that was proven healthy, or that was right all along. `more` is written down with it. */
export async function clearUp(
  { progress }: Pick<Work, 'progress'>,
  { name, host, task }: Workplace,
  more: readonly Operation[] = [],
): Promise<void> {
  const changed = task.plan.changes.length > 0;
  const left = changed || leftoversOf(task).length > 0;
  await act(host, 'clear up', [...(left ? completion(task) : []), ...more]);
  if (left) progress.done(name, 'healthy');
}
