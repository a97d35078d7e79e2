import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { exitCode, KbinError } from '../errors.ts';
import { keepOutOfStore } from './output-file.ts';

/** A file to be written, or a symbolic link. `path` is below the output folder. */
export interface RenderedFile {
  readonly path: string;
  readonly mode: number;
  readonly bytes?: Uint8Array;
  /** What the link holds. */
  readonly link?: string;
}

/** What kbin wrote into the folder, by path: digests, also of the version before while one replaces the other. */
type Manifest = Readonly<Record<string, readonly string[]>>;

const manifestName = '.kbin-render.json';

/**
 * Makes `folder` hold exactly `files`. Replaces and removes nothing but what an earlier render wrote there and nobody has
 * changed since: with anything else in the way it throws a KbinError that names it, before it touches a thing. Folders
 * are made 0700, files with their own mode. Killed anywhere, the next call carries on.
 */
export function writeRendered(folder: string, files: readonly RenderedFile[]): void {
  refuseOther(folder);
  const before = readManifest(folder);
  const after: Manifest = Object.fromEntries(files.map((file) => [file.path, [digestOf(file)]]));
  refuseForeign(folder, before);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of entriesBelow(folder).filter(isTemporary)) rmSync(join(folder, path));
  writeManifest(folder, union(before, after));
  for (const path of Object.keys(before).filter((path) => !(path in after))) remove(folder, path);
  for (const file of files) write(folder, file);
  writeManifest(folder, after);
}

function readManifest(folder: string): Manifest {
  const file = join(folder, manifestName);
  if (!existsSync(file)) return {};
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    if (Object.entries(manifest).every(([path, digests]) => liesWithin(path) && Array.isArray(digests))) {
      return manifest;
    }
  } catch {
    // Told below.
  }
  throw new KbinError(`${file} cannot be read`, {
    why: 'it lists what kbin wrote into the folder, and was changed',
    next: 'name another folder with -o, or remove this one if nothing in it is yours',
    exit: exitCode.usage,
  });
}

function liesWithin(path: string): boolean {
  return normalize(path) === path && !isAbsolute(path) && !path.startsWith('..');
}

function writeManifest(folder: string, manifest: Manifest): void {
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  write(folder, { path: manifestName, mode: 0o600, bytes });
}

function union(a: Manifest, b: Manifest): Manifest {
  const paths = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...paths].map((path) => [path, [...new Set([...(a[path] ?? []), ...(b[path] ?? [])])]]),
  );
}

function refuseOther(folder: string): void {
  keepOutOfStore(folder, { step: 'writing the files', option: '-o' });
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return;
  throw new KbinError(`${folder} is not a folder`, { next: 'name a folder with -o', exit: exitCode.usage });
}

/** Everything in the folder must be listed, and be what was listed. */
function refuseForeign(folder: string, manifest: Manifest): void {
  const foreign = entriesBelow(folder).filter((path) => {
    if (path === manifestName || isTemporary(path)) return false;
    return manifest[path]?.includes(digestAt(join(folder, path))) !== true;
  });
  if (foreign.length === 0) return;
  const shown = foreign.slice(0, 10);
  throw new KbinError(`${folder} holds what kbin render did not write, or what was changed since`, {
    why: 'nothing of yours is ever written over',
    next: 'name another folder with -o, or move these away',
    output: [
      ...shown,
      ...(foreign.length > shown.length ? [`and ${foreign.length - shown.length} more`] : []),
    ].join('\n'),
    exit: exitCode.usage,
  });
}

/** Everything but folders, as paths below `folder`; links are not followed. */
function entriesBelow(folder: string, below = ''): string[] {
  if (!existsSync(join(folder, below))) return [];
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? entriesBelow(folder, path) : [path];
  });
}

function digestAt(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return digestOf({ path, mode: 0, link: readlinkSync(path) });
  return stat.isFile() ? digestOf({ path, mode: 0, bytes: readFileSync(path) }) : '';
}

function digestOf({ bytes, link }: RenderedFile): string {
  const hash = createHash('sha256');
  return link === undefined ? hash.update(bytes ?? '').digest('hex') : `link ${link}`;
}

const temporaryName = /^\.kbin-new-[0-9a-f-]{36}$/;

function isTemporary(path: string): boolean {
  return temporaryName.test(path.slice(path.lastIndexOf('/') + 1));
}

/** Beside its place first, then renamed: nobody ever sees half a file, or a key that is open for a moment. */
function write(folder: string, { path, mode, bytes, link }: RenderedFile): void {
  const place = join(folder, path);
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(place), `.kbin-new-${randomUUID()}`);
  if (link === undefined) writeFileSync(temporary, bytes ?? '', { mode, flag: 'wx' });
  else symlinkSync(link, temporary);
  renameSync(temporary, place);
}

function remove(folder: string, path: string): void {
  rmSync(join(folder, path), { force: true });
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const place = join(folder, parent);
    if (!existsSync(place)) continue;
    if (readdirSync(place).length > 0) return;
    rmdirSync(place);
  }
}
