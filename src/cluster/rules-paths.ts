import { completePaths } from './defaults.ts';
import { liesIn } from './files.ts';
import { error, type Path, type Problem } from './mistake.ts';
import type { Rule } from './rules.ts';
import type { Draft } from './schema.ts';

/** Folders that kbin owns whole: nothing else may lie in one of them. */
const owned = ['tls', 'data', 'wal'];

interface Place {
  readonly key: string;
  readonly at: Path;
  readonly path: string;
}

export const pathRules: readonly Rule[] = [
  function* pathsApart(draft) {
    const places = placesOf(draft);
    for (const [index, place] of places.entries()) {
      for (const other of places.slice(0, index)) {
        if (place.path === other.path)
          yield error(place.at, `"${place.path}" is the path of two things`, other.at);
      }
      yield* nested(place, places);
    }
  },
];

/** Defaults first, so that what was chosen is what is complained of. */
function placesOf(draft: Draft): readonly Place[] {
  const paths = completePaths(draft);
  const all = [
    { key: 'units', at: ['paths', 'units'], path: paths.units, chosen: draft.paths?.units !== undefined },
    ...Object.entries(paths.etcd).map(([key, path]) => ({
      key,
      at: ['paths', 'etcd', key],
      path,
      chosen: draft.paths?.etcd?.[key as keyof typeof paths.etcd] !== undefined,
    })),
  ];
  return [...all.filter(({ chosen }) => !chosen), ...all.filter(({ chosen }) => chosen)];
}

function* nested({ at, path }: Place, places: readonly Place[]): Generator<Problem> {
  for (const outer of places) {
    if (!owned.includes(outer.key) || !liesIn(path, outer.path)) continue;
    yield error(at, `"${path}" lies in ${outer.path}, which belongs to etcd.${outer.key} alone`, outer.at);
  }
}
