/** One comparison. */
export interface BenchResult {
  /** What was compared with what, both times and their ratio, the limit and the goal: one line. */
  readonly line: string;
  readonly withinLimit: boolean;
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
