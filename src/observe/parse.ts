import { dataDirectories } from './data-directory.ts';
import { factsFrom, type Trip } from './facts.ts';
import { ProbeLines } from './lines.ts';
import { listenersFrom } from './listeners.ts';
import type { Observed, ObservedPath } from './observed.ts';
import type { ProbeRequest } from './request.ts';
import { unitsFrom } from './units.ts';

/** Reads what probe.sh printed. Anything unexpected is a KbinError, never a guess. */
export function parseProbe(host: string, request: ProbeRequest, output: string, trip: Trip): Observed {
  const lines = new ProbeLines(host, output);
  return {
    host,
    facts: factsFrom(lines, request, trip),
    paths: pathsFrom(lines, request),
    units: unitsFrom(lines, request.units),
    dataDirectories: dataDirectories(lines, request.states),
    listeners: listenersFrom(lines, request.ports),
    accounts: [...lines.all('user'), ...lines.all('group').map((group) => `:${group}`)],
    leftovers: [...new Set(lines.all('leftover').map((line) => lines.hex(line).toString()))],
  };
}

function pathsFrom(lines: ProbeLines, request: ProbeRequest): ReadonlyMap<string, ObservedPath> {
  const present = lines.paired('stat', lines.chosen('present', request.paths));
  const digests = new Map(lines.paired('sha256', lines.chosen('hashed', request.paths)));
  const links = lines.indexed('link');
  const texts = lines.indexed('text');
  const foreign = lines.indexed('foreign');
  return new Map(
    present.map(([path, stat]) => {
      const target = links.get(request.paths.indexOf(path));
      const text = texts.get(request.texts.indexOf(path));
      const sha256 = digests.get(path);
      const folder = request.ownedFolders.findIndex((owned) => owned.path === path);
      return [
        path,
        {
          ...statusFrom(lines, stat),
          ...(sha256 === undefined ? {} : { sha256 }),
          ...(target === undefined ? {} : { target: lines.hex(target).toString().replace(/\n$/, '') }),
          ...(text === undefined ? {} : { text: lines.hex(text).toString() }),
          ...(folder < 0 ? {} : { foreignEntries: foreign.has(folder) }),
        },
      ];
    }),
  );
}

const types = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
] as const);

/** `MODE SIZE UID/GID/USER/GROUP`, MODE in hex with the type's bits, as stat's %f gives it. */
function statusFrom(lines: ProbeLines, line: string): ObservedPath {
  const [, mode, size, uid, gid, user, group] =
    /^([0-9a-f]+) (\d+) (\d+)\/(\d+)\/([^/]*)\/([^/]*)$/.exec(line) ?? [];
  if (mode === undefined || uid === undefined || gid === undefined)
    throw lines.malformed('stat is unreadable');
  const bits = lines.number(mode, 16);
  const type = types.get((bits & 0o170000) as 0o100000) ?? 'other';
  return {
    type,
    mode: bits & 0o7777,
    owner: named(user, uid),
    group: named(group, gid),
    ...(type === 'file' ? { size: lines.number(size) } : {}),
  };
}

/** Ids without a name are shown as numbers, as `ls` does. */
function named(name: string | undefined, id: string): string {
  return name === undefined || name === '' || name === 'UNKNOWN' ? id : name;
}
