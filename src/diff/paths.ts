import {
  bundleTarget,
  type Content,
  type DesiredBundle,
  type DesiredDirectory,
  type DesiredFile,
  type Ownership,
} from '../desired/desired.ts';
import type { Observed, ObservedPath } from '../observe/observed.ts';
import type { Change } from './changes.ts';
import { unifiedDiff } from './text.ts';

export function directoryDifference(directory: DesiredDirectory, observed: Observed): Change | undefined {
  const { path } = directory;
  const seen = observed.paths.get(path);
  if (seen === undefined) return { kind: 'directory', target: path, action: 'create', reason: 'missing' };
  // Operators put data on another disk with a symbolic link: what it leads to is theirs.
  if (seen.type === 'link') return undefined;
  return update('directory', path, directoryReasons(directory, seen));
}

function directoryReasons(directory: DesiredDirectory, seen: ObservedPath): string[] {
  if (seen.type !== 'directory') return [`is ${inWords(seen)}, wanted a directory`];
  if (directory.passage === true) {
    return letsThrough(seen) ? [] : [`mode ${octal(seen.mode)} lets no account through to what lies in it`];
  }
  return [
    ...ownershipReasons(directory, seen),
    ...(directory.recursive === true && seen.foreignEntries === true
      ? [`holds entries that user ${directory.owner} does not own`]
      : []),
  ];
}

/** Whether everybody may go on from a folder to what lies in it. */
function letsThrough({ mode }: ObservedPath): boolean {
  return (mode & 0o111) === 0o111;
}

export function fileDifference(file: DesiredFile, observed: Observed): Change | undefined {
  const seen = observed.paths.get(file.path);
  if (seen === undefined) {
    return { kind: 'file', target: file.path, action: 'create', reason: 'missing', ...textDiff(file, '') };
  }
  const reasons = fileReasons(file, seen);
  const change = update('file', file.path, reasons);
  return change && contentDiffers(file, seen) ? { ...change, ...textDiff(file, seen.text) } : change;
}

/** Whether a file's bytes are not the wanted ones: what `effect` is about. Mode and owner never need a restart. */
export function contentDiffers(file: DesiredFile, seen: ObservedPath | undefined): boolean {
  if (!isComparable(file.content)) return seen === undefined;
  return seen?.sha256 !== file.content.sha256;
}

/** Where the secrets in it are not, a composed text cannot be compared; the name of its bundle's folder tells as much. */
export function isComparable(content: Content): boolean {
  return content.kind !== 'composed' || content.sha256 !== content.identity;
}

/**
 * A bundle is right when its link points to the folder named after its digest and everything in there is really as
 * wanted: a file edited by hand in that folder is seen. The probe looks at the files through the link.
 */
export function bundleDifference(bundle: DesiredBundle, observed: Observed): Change | undefined {
  const { path } = bundle;
  const seen = observed.paths.get(path);
  if (seen === undefined) return { kind: 'bundle', target: path, action: 'create', reason: 'missing' };
  if (seen.type !== 'link') {
    return update('bundle', path, [`is ${inWords(seen)} and not kbin's link: it is moved aside`]);
  }
  if (!pointsTo(seen.target, bundle)) return update('bundle', path, [formerBundle(bundle, seen, observed)]);
  const folder = observed.paths.get(bundleTarget(bundle));
  if (folder?.type !== 'directory') return update('bundle', path, ['its link leads nowhere']);
  return update('bundle', path, [
    ...ownershipReasons(bundle, folder),
    ...bundle.files.flatMap((file) => {
      const inside = observed.paths.get(`${path}/${file.path}`);
      const reasons = inside === undefined ? ['missing'] : fileReasons(file, inside);
      return reasons.length > 0 ? [`${file.path}: ${reasons.join(', ')}`] : [];
    }),
  ]);
}

/** The link holds the folder's name alone, or its whole path. */
function pointsTo(target: string | undefined, bundle: DesiredBundle): boolean {
  const wanted = bundleTarget(bundle);
  return target === wanted || target === wanted.slice(wanted.lastIndexOf('/') + 1);
}

function formerBundle(bundle: DesiredBundle, seen: ObservedPath, observed: Observed): string {
  const changed = bundle.files.filter((file) =>
    contentDiffers(file, observed.paths.get(`${bundle.path}/${file.path}`)),
  );
  return changed.length > 0
    ? `differs in ${changed.map((file) => file.path).join(', ')}`
    : `points to ${seen.target}, with other owners or modes`;
}

function fileReasons(file: DesiredFile, seen: ObservedPath): string[] {
  if (seen.type !== 'file') return [`is ${inWords(seen)}, wanted a file`];
  return [...(contentDiffers(file, seen) ? ['content differs'] : []), ...ownershipReasons(file, seen)];
}

function ownershipReasons(wanted: Ownership, seen: ObservedPath): string[] {
  return [
    ...(seen.mode === wanted.mode ? [] : [`mode ${octal(seen.mode)}, wanted ${octal(wanted.mode)}`]),
    ...(seen.owner === wanted.owner && seen.group === wanted.group
      ? []
      : [`owner ${seen.owner}:${seen.group}, wanted ${wanted.owner}:${wanted.group}`]),
  ];
}

function textDiff(file: DesiredFile, present: string | undefined): { diff?: string } {
  if (file.content.kind !== 'text' || present === undefined) return {};
  return { diff: unifiedDiff(file.path, present, file.content.text) };
}

function update(kind: Change['kind'], target: string, reasons: readonly string[]): Change | undefined {
  return reasons.length === 0 ? undefined : { kind, target, action: 'update', reason: reasons.join(', ') };
}

function inWords(seen: ObservedPath): string {
  if (seen.type === 'link') return `a symbolic link to ${seen.target}`;
  return { directory: 'a directory', file: 'a file', other: 'no regular file' }[seen.type];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
