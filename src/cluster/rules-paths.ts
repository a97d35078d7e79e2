import { completePaths } from './defaults.ts';
import { liesIn } from './files.ts';
import { error, type Path, type Problem } from './mistake.ts';
import type { Rule } from './rules.ts';

/** Folders that kbin owns whole: nothing else may lie in one of them. */
const owned = ['tls', 'data', 'wal'];

export const pathRules: readonly Rule[] = [
  function* pathsApart(draft) {
    const paths = completePaths(draft);
    const places: (readonly [string, Path, string])[] = [
      ['units', ['paths', 'units'], paths.units],
      ...Object.entries(paths.etcd).map(([key, path]) => [key, ['paths', 'etcd', key], path] as const),
    ];
    for (const [index, [, path, place]] of places.entries()) {
      for (const [, otherPath, other] of places.slice(0, index)) {
        if (place === other) yield error(path, `"${place}" is the path of two things`, otherPath);
      }
      yield* nested(places, index);
    }
  },
];

function* nested(places: readonly (readonly [string, Path, string])[], index: number): Generator<Problem> {
  const [, path, place] = places[index] as (typeof places)[number];
  for (const [outerKey, outerPath, outer] of places) {
    if (!owned.includes(outerKey) || !liesIn(place, outer)) continue;
    yield error(path, `"${place}" lies in ${outer}, which belongs to etcd.${outerKey} alone`, outerPath);
  }
}
