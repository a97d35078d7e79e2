import type { Lab } from '../test/lab/lab.ts';
import { onAllHosts, runKbin, startKbin, timed } from './hosts.ts';
import { type BenchResult, median } from './result.ts';

export interface Rerun {
  readonly lab: Lab;
  /** Where cluster.yaml is, of a cluster that is as wanted. */
  readonly folder: string;
  /** The command after `kbin`. */
  readonly command: readonly string[];
  /** What it puts on a host, as a shell there expands it. */
  readonly files: readonly string[];
  readonly rounds: number;
}

/**
 * A run that changes nothing, by turns with one parallel `ssh HOST sha256sum` of the same files plus kbin's own start;
 * limit 1.5 times.
 */
export async function compareRerun({ lab, folder, command, files, rounds }: Rerun): Promise<BenchResult> {
  const times = { kbin: [] as number[], digests: [] as number[], start: [] as number[] };
  // The first round does not count.
  for (let round = 0; round <= rounds; round++) {
    const own = await runKbin(folder, ...command);
    const digests = await timed(() => onAllHosts(lab, `sha256sum ${files.join(' ')}`));
    const start = await timed(startKbin);
    if (round === 0) continue;
    times.kbin.push(own.milliseconds);
    times.digests.push(digests);
    times.start.push(start);
  }
  const [own, digests, start] = [median(times.kbin), median(times.digests), median(times.start)];
  const ratio = own / (digests + start);
  return {
    line: `kbin ${command.join(' ')} again, nothing to do: ${own.toFixed(0)} ms; ssh sha256sum of the same files: ${digests.toFixed(0)} ms, kbin's start: ${start.toFixed(0)} ms; ${ratio.toFixed(2)} times both (limit 1.5)`,
    withinLimit: ratio <= 1.5,
  };
}
