import type { Progress } from '../cli/io.ts';
import { KbinError } from '../errors.ts';
import type { MemberReading } from '../health/live.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { MemberMarker } from '../observe/observed.ts';
import type { Host } from '../remote/host.ts';
import { inParallel, valuesOf } from '../remote/parallel.ts';
import { completion, type Task } from './commit.ts';
import { act, write } from './operations.ts';

/** One component on one host that a rollout works on. */
export interface Workplace {
  /** The host's, as in cluster.yaml. */
  readonly name: string;
  readonly host: Host;
  readonly task: Task;
}

/** An etcd member's; its target has the host's name too. */
export interface Member extends Workplace {
  readonly target: EtcdTarget;
  /** It copies the data and has no vote yet. */
  readonly isLearner: boolean;
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

/** Of etcd. */
export interface Rollout extends Work {
  /** All members that cluster.yaml names, left out or not: who is asked for health and counted for quorum. */
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  /** Hex; undefined until a new cluster is there. */
  readonly clusterId?: string;
}

/** The same on all of these hosts at once. Each is worked on to its end; what failed on any of them is thrown then. */
export async function onAll<T extends Workplace, R>(
  { parallel }: Pick<Work, 'parallel'>,
  members: readonly T[],
  work: (member: T) => Promise<R>,
): Promise<R[]> {
  return valuesOf(await inParallel(members, parallel, work));
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

/** Clears up on a member's host and writes down, for later runs, which member lives there. */
export async function settle(rollout: Rollout, member: Member, reading: MemberReading): Promise<void> {
  const { component, observed } = member.task;
  const { status } = reading;
  const state = component.state;
  const marker = state && observed.dataDirectories.get(state.directory)?.marker;
  const wanted = status && { clusterId: status.clusterId, memberId: status.memberId, name: member.name };
  const changes = member.task.plan.changes.length > 0 || observed.leftovers.length > 0;
  await act(member.host, 'clear up', [
    ...(changes ? completion(member.task) : []),
    ...(state === undefined || wanted === undefined || sameMarker(marker, wanted)
      ? []
      : [write(state.marker, { mode: 0o644, owner: 'root', group: 'root' }, JSON.stringify(wanted))]),
  ]);
  if (changes) rollout.progress.done(member.name, 'healthy');
}

function sameMarker(one: MemberMarker | undefined, other: MemberMarker): boolean {
  return one?.clusterId === other.clusterId && one.memberId === other.memberId && one.name === other.name;
}

/** Of "node1: has no quorum; node2: …" the part about one member. */
export function ownPart(name: string, seen: string): string | undefined {
  return seen
    .split('; ')
    .find((part) => part.startsWith(`${name}: `))
    ?.slice(name.length + 2);
}
