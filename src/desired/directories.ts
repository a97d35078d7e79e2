import type { DesiredDirectory } from './desired.ts';
import { folderOf, isSystemFolder } from './folders.ts';

/**
 * The folders of a component on a host: `shared` are root's and open to everybody, `own` as they are given; and those
 * above them, which let their accounts through. The system's own are left out.
 */
export function directoriesOf(
  shared: readonly string[],
  own: readonly DesiredDirectory[] = [],
): DesiredDirectory[] {
  const named = [...new Set(shared)].filter((path) => !isSystemFolder(path));
  const known = new Set([...named, ...own.map(({ path }) => path)]);
  const above = [...known].flatMap(foldersAbove).filter((path) => !known.has(path));
  return [
    ...[...new Set(above)].sort().map((path) => ({ path, ...open, passage: true })),
    ...named.map((path) => ({ path, ...open })),
    ...own,
  ];
}

const open = { mode: 0o755, owner: 'root', group: 'root' };

function foldersAbove(path: string): string[] {
  const folder = folderOf(path);
  return isSystemFolder(folder) ? [] : [...foldersAbove(folder), folder];
}
