import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';

/** How long to wait, and who hears what was seen meanwhile. */
export interface Patience {
  /** Seconds from now; passing it is an error that repeats the last thing seen. */
  readonly within: number;
  /** Called with each new thing seen, in a clause: "2 of 3 members answer, no leader yet". */
  readonly onLast?: (seen: string) => void;
  /** Ends the wait early; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Milliseconds between two looks. */
const pauseMs = 150;

export type Look<T> = { readonly done: T } | { readonly seen: string };

/** Looks again and again until `look` is done or the time is up. What `look` throws ends the wait. */
export async function poll<T>(
  what: string,
  patience: Patience,
  look: () => Promise<Look<T>>,
  next = 'see what etcd says on the hosts (journalctl -u etcd)',
): Promise<T> {
  const end = performance.now() + patience.within * 1000;
  for (let last = ''; ; ) {
    patience.signal?.throwIfAborted();
    const found = await look();
    if ('done' in found) return found.done;
    if (found.seen !== last) patience.onLast?.(found.seen);
    last = found.seen;
    if (performance.now() + pauseMs > end) {
      throw new KbinError(`waited ${patience.within} s for ${what}`, {
        step: 'wait',
        why: `last seen: ${last}`,
        next,
      });
    }
    await sleep(pauseMs, undefined, patience.signal === undefined ? {} : { signal: patience.signal });
  }
}
