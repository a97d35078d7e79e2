import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KbinError } from '../errors.ts';
import { cacheFolder } from './cache-folder.ts';
import type { TransferProgress } from './download.ts';
import { downloaded } from './official.ts';
import { mentions, requireArchitecture } from './program.ts';
import { releases } from './releases.ts';
import { fileDigest, remembered } from './remember.ts';
import type { BinaryRequest } from './request.ts';
import { unpacked } from './unpacked.ts';

export interface Binary {
  /** Absolute, on this machine. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The component's programs by name, ready to be uploaded: found in a folder, unpacked from a release tarball, or
 * downloaded. Throws KbinError for a missing or damaged release, a wrong checksum, version or architecture.
 */
export async function resolveBinaries(
  request: BinaryRequest,
  progress?: TransferProgress,
): Promise<ReadonlyMap<string, Binary>> {
  const cache = cacheFolder(request.env ?? process.env);
  const folder = await programFolder(request, cache, progress);
  const { required, optional } = releases[request.component];
  const present = new Set(await readdir(folder));
  const missing = required.filter((name) => !present.has(name));
  if (missing.length > 0) throw lacking(request, folder, missing);
  const names = [...required, ...optional.filter((name) => present.has(name))];
  const found = await Promise.all(
    names.map(async (name) => [name, await examined(request, cache, join(folder, name))] as const),
  );
  await requireVersion(request, cache, join(folder, required[0] ?? ''));
  return new Map(found);
}

async function examined({ architecture }: BinaryRequest, cache: string, path: string): Promise<Binary> {
  await requireArchitecture(path, architecture);
  const sha256 = await remembered(cache, path, 'sha256', (file) => fileDigest(file, 'sha256'));
  return { path, sha256, size: (await stat(path)).size };
}

async function requireVersion(
  { version, component }: BinaryRequest,
  cache: string,
  path: string,
): Promise<void> {
  const answer = await remembered(cache, path, `mentions ${version}`, async (file) =>
    String(await mentions(file, version)),
  );
  if (answer === 'true') return;
  throw new KbinError(`${path} is not ${component} ${version}`, {
    step: 'look at the binaries',
    why: `the text ${version} is nowhere in it`,
    next: `Give the binaries of ${version}, or set \`${component}.version\` to theirs.`,
  });
}

async function programFolder(
  request: BinaryRequest,
  cache: string,
  progress?: TransferProgress,
): Promise<string> {
  const { source, component, version, architecture } = request;
  const release = releases[component];
  if (source.kind === 'download') return unpacked(request, cache, await downloaded(request, cache, progress));
  const found = await stat(source.path).catch(() => undefined);
  if (found === undefined) throw noSource(request, source.path);
  if (found.isFile()) return unpacked(request, cache, source.path);
  // A folder that the release was unpacked in, or the one that it was unpacked to.
  for (const above of [release.folder(version, architecture), '']) {
    const folder = join(source.path, above, release.programs);
    if (await isFile(join(folder, release.required[0] ?? ''))) return folder;
  }
  const tarball = join(source.path, `${release.name(version, architecture)}.tar.gz`);
  if (await isFile(tarball)) return unpacked(request, cache, tarball);
  return source.path;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function noSource({ component, version, architecture }: BinaryRequest, path: string): KbinError {
  return new KbinError(`${path} does not exist`, {
    step: `find the binaries of ${component}`,
    why: `cluster.yaml names it as \`${component}.source\``,
    next: `Put ${releases[component].name(version, architecture)}.tar.gz there, or set \`source: download\`.`,
  });
}

function lacking(
  { component, version, architecture }: BinaryRequest,
  folder: string,
  missing: readonly string[],
): KbinError {
  return new KbinError(`No ${missing.join(' and ')} for linux-${architecture} in ${folder}`, {
    step: `find the binaries of ${component}`,
    why: 'neither the programs themselves nor the release are there',
    next: `Give the folder of ${releases[component].name(version, architecture)}, its .tar.gz, or a folder that holds either.`,
  });
}
