import { etcdSymptoms } from './symptoms-etcd.ts';
import { kubernetesSymptoms } from './symptoms-kubernetes.ts';

/** Why a unit did not come up, as far as its journal tells. */
export interface LikelyCause {
  /** Stable id, for tests and JSON. */
  readonly code: string;
  readonly why: string;
  readonly next: string;
}

export interface Symptom {
  readonly code: string;
  /** Looked for in each line; its first group, if any, is `$1` in the sentences, and the unit's program is `$program`. */
  readonly sign: RegExp;
  readonly why: string;
  readonly next: string;
}

const etcdUnit = 'etcd.service';

/** The cause that the last lines of a unit's journal point to; the latest line that fits the most certain entry. */
export function likelyCause(journal: string, unit: string = etcdUnit): LikelyCause | undefined {
  const lines = journal.split('\n').reverse();
  const program = unit.replace(/\.service$/, '');
  for (const { code, sign, why, next } of unit === etcdUnit ? etcdSymptoms : kubernetesSymptoms) {
    for (const line of lines) {
      const match = sign.exec(line);
      if (match === null) continue;
      const what = match.slice(1).find((group) => group !== undefined && group !== '') ?? '';
      const filled = (sentence: string) =>
        sentence
          .replace(' ($1)', () => what && ` (${what})`)
          .replace('$1', () => what || 'a file')
          .replaceAll('$program', program);
      return { code, why: filled(why), next: filled(next) };
    }
  }
  return undefined;
}
