import type { Ownership } from '../desired/desired.ts';
import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import script from './act.sh?raw';

/**
 * One thing that act.sh does: a verb and its arguments. Plain data, so that what a run would do to a host can be
 * compared and printed; the script does the operations of one call in their order and stops at the first that fails.
 */
export type Operation = readonly [verb: string, ...args: string[]];

/** Creates a system account, unless it exists. */
export const account = (user: string, group: string, home: string): Operation => [
  'account',
  user,
  group,
  home,
];

/** Creates a folder where there is none; its owner and mode either way. */
export const folder = (path: string, as: Ownership): Operation => ['folder', ...ownership(as), path];

/** Owner and mode of what exists. */
export const own = (path: string, as: Ownership): Operation => ['own', ...ownership(as), path];

/** Owner of everything below a folder. */
export const ownTree = (path: string, owner: string, group: string): Operation => [
  'tree',
  owner,
  group,
  path,
];

/** Puts an uploaded file in its place in one rename; what was there is kept for `restore`. */
export const rename = (staged: string, path: string): Operation => ['rename', staged, path];

/** Gives an uploaded file its name in a folder that nobody uses yet. */
export const place = (staged: string, path: string): Operation => ['place', staged, path];

/** Moves an uploaded folder to `target` and points the link `path` to it in one rename. */
export const switchTo = (staged: string, path: string, target: string): Operation => [
  'switch',
  staged,
  path,
  target,
];

/** Keeps a copy of a file that is not kbin's, for good: `PATH.before-kbin`. */
export const setAside = (path: string): Operation => ['set-aside', path];

/** Brings back what `rename` or `switchTo` kept; nothing when there was nothing. */
export const restore = (path: string): Operation => ['restore', path];

/** Writes a small file that is no secret, atomically. */
export const write = (path: string, as: Ownership, text: string): Operation => [
  'write',
  ...ownership(as),
  path,
  text,
];

/** fsync of a folder, so that the renames in it survive a power cut. */
export const sync = (path: string): Operation => ['sync', path];

/** SELinux labels, where there is SELinux. */
export const label = (path: string): Operation => ['label', path];

/** Removes a bundle's former folders except the last. Before `clean`, which forgets which one that is. */
export const prune = (path: string): Operation => ['prune', path];

/** Removes what kbin kept of a path, or uploaded for it, and no longer needs: `.kbin-…` beside it. */
export const clean = (path: string): Operation => ['clean', path];

/** Removes a file that kbin wrote: the marker of a member that the cluster does not have any more, a unit that failed. */
export const forget = (path: string): Operation => ['forget', path];

/** Removes one upload that was not finished. */
export const discard = (path: string): Operation => ['discard', path];

export const reload: Operation = ['reload'];
/** In force, and seen by systemd, with the `reload` after it. */
export const enable = (unit: string): Operation => ['enable', unit];
/** Waits until the unit has stopped. */
export const stop = (unit: string): Operation => ['stop', unit];
/** Returns at once; the gates of src/health tell what comes of it. */
export const start = (unit: string): Operation => ['start', unit];
/** Returns when the former process has ended, for which systemd gives it `seconds`. */
export const restart = (unit: string, seconds: number): Operation => ['restart', unit, String(seconds)];

function ownership({ mode, owner, group }: Ownership): [string, string, string] {
  return [mode.toString(8), owner, group];
}

/** A former script may take a minute to end, and then everything but a process that stops is done within another. */
const baseSeconds = 180;

function longestSeconds(operations: readonly Operation[]): number {
  const stops = operations.filter(([verb]) => verb === 'restart' || verb === 'stop');
  const allowed = stops.map(([, , seconds]) => Number(seconds ?? 90));
  return baseSeconds + Math.max(0, ...allowed) * stops.length;
}

/**
 * Does the operations on the host, in one round trip. `step` says what for, in words for people.
 *
 * @returns when it began by the host's own clock, in seconds since 1970: its journal is read from there.
 */
export async function act(host: Host, step: string, operations: readonly Operation[]): Promise<number> {
  if (operations.length === 0) return 0;
  const result = await host.script(script, operations.flat(), {
    label: step,
    timeout: longestSeconds(operations),
  });
  if (result.code === 0) return Number(/^began (\d+)$/m.exec(result.stdout)?.[1] ?? 0);
  const at = /^kbin stopped at: (.*)$/m.exec(result.stderr)?.[1];
  throw new KbinError(`${step} failed`, {
    host: host.name,
    step: at === undefined ? step : `${step}: ${at.trim()}`,
    why: 'a command on the host failed; its own words are below',
    next: 'Mend that and run kbin again: it carries on from where this run stopped.',
    output: result.stderr.replace(/^kbin stopped at: .*\n?/m, '').trim(),
  });
}
