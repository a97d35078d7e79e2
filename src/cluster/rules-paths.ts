import { controlPlaneComponents } from './cluster.ts';
import { completePaths } from './defaults.ts';
import { liesIn } from './files.ts';
import { error, type Path, type Problem } from './mistake.ts';
import type { Rule } from './rules.ts';
import type { Draft } from './schema.ts';

interface Place {
  readonly at: Path;
  readonly path: string;
  /** Whose it is, where kbin owns the folder whole: nothing else may lie in it. */
  readonly owner?: string;
  readonly chosen: boolean;
}

export const pathRules: readonly Rule[] = [
  function* pathsApart(draft) {
    const places = placesOf(draft);
    for (const [index, place] of places.entries()) {
      for (const other of places.slice(0, index)) {
        if (place.path === other.path && !(isPrograms(place) && isPrograms(other)))
          yield error(place.at, `"${place.path}" is the path of two things`, other.at);
      }
      yield* nested(place, places);
    }
  },
];

/** Folders of programs may be one. */
const isPrograms = ({ at }: Place): boolean => at.at(-1) === 'bin';

/** Defaults first, so that what was chosen is what is complained of. */
function placesOf(draft: Draft): readonly Place[] {
  const paths = completePaths(draft);
  const chosen = (section: 'etcd' | 'kubernetes', key: string): boolean =>
    (draft.paths?.[section] as Record<string, unknown> | undefined)?.[key] !== undefined;
  const all: readonly Place[] = [
    { at: ['paths', 'units'], path: paths.units, chosen: draft.paths?.units !== undefined },
    ...Object.entries(paths.etcd).map(([key, path]) => ({
      at: ['paths', 'etcd', key],
      path,
      ...(['tls', 'data', 'wal'].includes(key) ? { owner: `etcd.${key}` } : {}),
      chosen: chosen('etcd', key),
    })),
    ...(draft.kubernetes?.version === undefined ? [] : Object.entries(paths.kubernetes)).flatMap(
      ([key, path]) => kubernetesPlaces(key, path, chosen('kubernetes', key)),
    ),
  ];
  return [...all.filter((place) => !place.chosen), ...all.filter((place) => place.chosen)];
}

/** Below `tls` each component has a folder that is switched as one. */
function kubernetesPlaces(key: string, path: string, chosen: boolean): readonly Place[] {
  const at = ['paths', 'kubernetes', key];
  const place = { at, path, chosen, ...(key === 'audit' ? { owner: 'kubernetes.audit' } : {}) };
  if (key !== 'tls') return [place];
  const bundles = controlPlaneComponents.map((component) => ({
    at,
    path: `${path}/${component}`,
    owner: component,
    chosen,
  }));
  return [place, ...bundles];
}

function* nested({ at, path }: Place, places: readonly Place[]): Generator<Problem> {
  for (const outer of places) {
    if (outer.owner === undefined || !liesIn(path, outer.path)) continue;
    yield error(at, `"${path}" lies in ${outer.path}, which belongs to ${outer.owner} alone`, outer.at);
  }
}
