import { bundleTarget, type DesiredComponent, type DesiredHost, staticPodPath } from '../desired/desired.ts';

/** What a probe is asked to look at. Everything else on the host is none of kbin's business. */
export interface ProbeRequest {
  /** Absolute. Regular files are hashed. */
  readonly paths: readonly string[];
  /** Of `paths`, those whose text is wanted for a diff. Never a secret. */
  readonly texts: readonly string[];
  /** Folders in which everything should belong to one user. */
  readonly ownedFolders: readonly { readonly path: string; readonly owner: string }[];
  readonly units: readonly string[];
  readonly states: readonly ProbedState[];
  readonly ports: readonly number[];
  readonly users: readonly string[];
  readonly groups: readonly string[];
  /** Folders whose file system's free space is wanted, and in which leftovers of a cut-off run are looked for. */
  readonly folders: readonly string[];
}

export interface ProbedState {
  readonly directory: string;
  readonly wal: string;
  readonly marker: string;
}

/**
 * The arguments of probe.sh: each is `TAG:VALUE`, so that no value is ever part of a script's text. p path, t path
 * whose text is wanted, o `USER:FOLDER` of one owner, u unit, d data directory (w its log, m its marker), a user,
 * g group, s folder for free space and leftovers.
 */
export function probeArguments(request: ProbeRequest): string[] {
  return [
    ...request.paths.map((path) => `p:${path}`),
    ...request.texts.map((path) => `t:${path}`),
    ...request.ownedFolders.map(({ owner, path }) => `o:${owner}:${path}`),
    ...request.units.map((unit) => `u:${unit}`),
    ...request.states.flatMap(({ directory, wal, marker }) => [`d:${directory}`, `w:${wal}`, `m:${marker}`]),
    ...request.users.map((user) => `a:${user}`),
    ...request.groups.map((group) => `g:${group}`),
    ...request.folders.map((folder) => `s:${folder}`),
  ];
}

/** Everything that the comparison with `desired` needs to know of its host. */
export function probeRequestFor(desired: DesiredHost): ProbeRequest {
  const components = desired.components;
  const paths = components.flatMap(pathsOf);
  return {
    paths: unique(paths),
    texts: unique(components.flatMap(textsOf)),
    ownedFolders: components.flatMap((component) =>
      component.directories.filter((directory) => directory.recursive),
    ),
    units: unique(components.map((component) => component.unit.name)),
    states: components.flatMap(({ state }) => (state === undefined ? [] : [state])),
    ports: unique(components.flatMap((component) => component.ports ?? [])),
    users: unique(components.flatMap(({ account }) => account?.user ?? [])),
    groups: unique(components.flatMap(({ account }) => account?.group ?? [])),
    folders: unique(components.flatMap(foldersOf)),
  };
}

function pathsOf(component: DesiredComponent): string[] {
  return [
    ...component.directories.map((directory) => directory.path),
    ...component.files.map((file) => file.path),
    ...component.bundles.flatMap((bundle) => [
      bundle.path,
      bundleTarget(bundle),
      ...bundle.files.map((file) => `${bundle.path}/${file.path}`),
    ]),
    // Not kbin's: whether the kubelet of another installation runs the same program.
    staticPodPath(component.name),
  ];
}

function textsOf(component: DesiredComponent): string[] {
  return component.files.filter((file) => file.content.kind === 'text').map((file) => file.path);
}

function foldersOf(component: DesiredComponent): string[] {
  return [
    ...component.files.map((file) => folderOf(file.path)),
    ...component.bundles.map((bundle) => folderOf(bundle.path)),
    ...(component.state === undefined ? [] : [component.state.directory, folderOf(component.state.marker)]),
  ];
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
