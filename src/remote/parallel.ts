import { KbinError } from '../errors.ts';

export type Settled<T, R> =
  | { readonly item: T; readonly value: R }
  | { readonly item: T; readonly error: unknown };

/**
 * Works on many items, at most `limit` at once, and tells what became of each, in their order. One that fails stops no
 * other; never rejects.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<Settled<T, R>[]> {
  const settled: Settled<T, R>[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      const item = items[index] as T;
      try {
        settled[index] = { item, value: await work(item) };
      } catch (error) {
        settled[index] = { item, error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker));
  return settled;
}

/**
 * The values, when there was no error. One error is thrown as it is; several as a KbinError that tells all of them,
 * with an AggregateError as its cause.
 */
export function valuesOf<T, R>(settled: readonly Settled<T, R>[]): R[] {
  const errors = settled.flatMap((one) => ('error' in one ? [one.error] : []));
  if (errors.length === 0) return settled.map((one) => ('value' in one ? one.value : (undefined as never)));
  // A defect of kbin is not to be hidden behind what went wrong on hosts.
  const defect = errors.find((error) => !(error instanceof KbinError));
  if (errors.length === 1 || defect !== undefined) throw defect ?? errors[0];
  const known = errors as KbinError[];
  const steps = new Set(known.map(({ details }) => details.next).filter((next) => next !== undefined));
  throw new KbinError(`${known.length} of ${settled.length} hosts failed`, {
    output: known
      .map(({ message, details }) => (details.why ? `${message}: ${details.why}` : message))
      .join('\n'),
    ...(steps.size > 0 && { next: [...steps].join('; ') }),
    cause: new AggregateError(known),
  });
}
