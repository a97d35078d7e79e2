import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneComponent } from '../../../src/cluster/cluster.ts';

const folder = join(import.meta.dirname, 'kube-releases');

/** The minors that have a list, all of it or a part: 1.20, 1.32, … */
export const listedMinors: readonly string[] = readdirSync(folder)
  .map((name) => name.replace(/\.txt$/, ''))
  .sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]));

/**
 * A release's flags as its own source has them: `[component]` lines (and of some `[feature-gates]`, `[admission-plugins]`), below them `# where` with the flags found there.
 * The text before the first section tells where all of it was taken from; `, a part:` in its first line says that
 * not every file was found.
 */
export interface ReleaseList {
  readonly complete: boolean;
  flagsOf(component: ControlPlaneComponent): string[];
  /** What a section besides the components' says: `feature-gates`, `admission-plugins`. Empty: the list says nothing of it. */
  namesOf(section: string): string[];
  /** By source file, as `kubernetes/kubernetes` has it. */
  filesOf(component: ControlPlaneComponent): ReadonlyMap<string, readonly string[]>;
}

export function releaseList(minor: string): ReleaseList {
  const [head = '', ...parts] = readFileSync(join(folder, `${minor}.txt`), 'utf8').split(/^\[(.*)\]$/m);
  const filesOf = (section: string) => {
    const [, ...files] = (parts[parts.indexOf(section) + 1] ?? '').split(/^# /m);
    return new Map(
      files.map((text) => {
        const [file = '', ...lines] = text.split('\n');
        return [file, lines.join(' ').split(/\s+/).filter(Boolean)] as const;
      }),
    );
  };
  const namesOf = (section: string) => [...new Set([...filesOf(section).values()].flat())].sort();
  return {
    complete: !/^.*, a part:/.test(head),
    filesOf,
    flagsOf: namesOf,
    namesOf: (section) => (parts.includes(section) ? namesOf(section) : []),
  };
}
