import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BinarySource } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import { filled } from './cache-folder.ts';
import { wrongDigest } from './download.ts';
import { releases } from './releases.ts';
import { fileDigest, remembered } from './remember.ts';
import type { BinaryRequest } from './request.ts';
import { unpack } from './tarball.ts';

/** The folder that holds what a tarball has of the component; unpacked once for each tarball, by its digest. */
export async function unpacked(request: BinaryRequest, cache: string, tarball: string): Promise<string> {
  const sha256 = await verified(request.source, cache, tarball);
  const { component, version, architecture } = request;
  const { required, optional, folder: folderName } = releases[component];
  const name = folderName(version, architecture);
  const folder = join(cache, 'unpacked', `${component}-${version}-${architecture}-${sha256.slice(0, 16)}`);
  if (await isIntact(folder, cache)) return folder;
  await rm(folder, { recursive: true, force: true });
  await filled(folder, async (temporary) => {
    const release = await unpack(tarball, [...required, ...optional], temporary);
    if (release !== undefined && release !== name && isReleaseName(release))
      throw otherRelease(tarball, release, name);
    const programs = await readdir(temporary);
    const missing = required.filter((program) => !programs.includes(program));
    if (missing.length > 0) throw incomplete(request, tarball, missing);
    const digests = await Promise.all(
      programs.map(async (file) => [file, await fileDigest(join(temporary, file), 'sha256')]),
    );
    await writeFile(join(temporary, digestsFile), JSON.stringify(Object.fromEntries(digests)));
  });
  return folder;
}

const digestsFile = 'digests.json';

/** What was unpacked earlier still is what it was then. */
async function isIntact(folder: string, cache: string): Promise<boolean> {
  const text = await readFile(join(folder, digestsFile), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const digests = Object.entries(JSON.parse(text) as Record<string, string>);
  const checks = digests.map(async ([file, wanted]) => {
    const path = join(folder, file);
    return (await remembered(cache, path, 'sha256', (one) => fileDigest(one, 'sha256'))) === wanted;
  });
  return (await Promise.all(checks.map((check) => check.catch(() => false)))).every((same) => same);
}

/** The tarball's sha256, after it was compared with the digest that cluster.yaml pins. */
async function verified(source: BinarySource, cache: string, tarball: string): Promise<string> {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const wanted = source[algorithm];
    if (wanted === undefined) continue;
    const found = await remembered(cache, tarball, algorithm, (file) => fileDigest(file, algorithm));
    if (found !== wanted) throw wrongDigest(tarball, wanted, found);
  }
  return remembered(cache, tarball, 'sha256', (file) => fileDigest(file, 'sha256'));
}

function isReleaseName(name: string): boolean {
  return /-v?\d+\.\d+\.\d+.*-linux-/.test(name);
}

function incomplete(
  { component, version, architecture }: BinaryRequest,
  tarball: string,
  missing: string[],
): KbinError {
  return new KbinError(`${tarball} holds no ${missing.join(' and ')}`, {
    step: 'unpack the release',
    why: `it is not the official release of ${component} for servers, or not laid out like one`,
    next: `Give the official ${releases[component].name(version, architecture)}.tar.gz, or a folder with the programs.`,
  });
}

function otherRelease(tarball: string, found: string, wanted: string): KbinError {
  return new KbinError(`${tarball} holds ${found}`, {
    step: 'unpack the release',
    why: `cluster.yaml asks for ${wanted}`,
    next: 'Give the tarball of that version and architecture, or correct cluster.yaml.',
  });
}
