/**
 * Mutated PEM, DER, JSON, YAML, requests, lists and PKCS #12 through everything that reads them: each gives a result or a
 * KbinError, never another error, never a hang, and never takes for signed what was changed after it was signed.
 *
 *     node test/fuzz/fuzz.ts [count] [seed]
 */
import { KbinError } from '../../src/errors.ts';
import { cfsslTargets } from './cfssl-targets.ts';
import { lifeCycleTargets } from './life-cycle-targets.ts';
import { random } from './mutate.ts';

/** Longest that one input may take, in milliseconds: far above what any does, far below what a person waits. */
const patience = 5000;

/** Runs `count` inputs; rejects with the first that gave anything but a result or a KbinError. */
export async function fuzz(count: number, seed: number): Promise<{ accepted: number; refused: number }> {
  const below = random(seed);
  const readers = [...cfsslTargets(), ...(await lifeCycleTargets())];
  const tally = { accepted: 0, refused: 0 };
  for (let turn = 0; turn < count; turn++) {
    const started = process.cpuUsage();
    const reader = readers[turn % readers.length];
    try {
      await reader?.(below);
      tally.accepted += 1;
    } catch (error) {
      if (!(error instanceof KbinError)) throw new Error(`input ${turn} of seed ${seed}`, { cause: error });
      if (JSON.stringify([error.message, error.details]).includes('PRIVATE KEY-----')) {
        throw new Error(`input ${turn} of seed ${seed}: the error shows a key`, { cause: error });
      }
      tally.refused += 1;
    }
    if (process.cpuUsage(started).user / 1000 > patience)
      throw new Error(`input ${turn} of seed ${seed} took too long`);
  }
  return tally;
}

if (import.meta.main) {
  const [count = '100000', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
  const { accepted, refused } = await fuzz(Number(count), Number(seed));
  process.stdout.write(
    `fuzz: ${count} inputs of seed ${seed}: ${accepted} accepted, ${refused} refused, none crashed\n`,
  );
}
