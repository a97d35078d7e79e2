import { KbinError } from '../errors.ts';

/** Settles as `work` does, or rejects as soon as the signal is aborted; the work then goes on unheard, up to its deadline. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () =>
    reject(new KbinError('interrupted', { why: `by ${signal.reason}`, next: 'run it again' }));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => {});
  }
}
