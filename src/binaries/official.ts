import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KbinError } from '../errors.ts';
import { filled } from './cache-folder.ts';
import { type Digest, downloadFile, downloadText, type TransferProgress } from './download.ts';
import { releases } from './releases.ts';
import { fileDigest, remembered } from './remember.ts';
import type { BinaryRequest } from './request.ts';

/**
 * The official tarball in the cache; asked for only when it is not there, with the digest that its publisher names, or
 * that cluster.yaml pins. What one address gave never stands in for another's.
 */
export async function downloaded(
  request: BinaryRequest,
  cache: string,
  progress?: TransferProgress,
): Promise<string> {
  const { component, version, architecture, source } = request;
  const release = releases[component];
  const base = ((source.kind === 'download' ? source.url : undefined) ?? release.url).replace(/\/+$/, '');
  const place = createHash('sha256').update(base).digest('hex').slice(0, 8);
  const file = `${release.name(version, architecture)}.tar.gz`;
  const path = join(cache, 'downloads', `${component}-${version}-${place}`, file);
  const address = (name: string) => `${base}/${release.path(version, name)}`;
  const options = { env: request.env ?? process.env, progress };
  const digest = pinned(request) ?? (await publishedDigest(request, address, `${path}.digest`, file));
  const present = await remembered(cache, path, digest.algorithm, (one) =>
    fileDigest(one, digest.algorithm),
  ).catch(() => '');
  if (present !== digest.hex) {
    await rm(path, { force: true });
    await downloadFile(address(file), path, digest, options);
  }
  return path;
}

function pinned({ source }: BinaryRequest): Digest | undefined {
  if (source.sha512 !== undefined) return { algorithm: 'sha512', hex: source.sha512.toLowerCase() };
  if (source.sha256 !== undefined) return { algorithm: 'sha256', hex: source.sha256.toLowerCase() };
  return undefined;
}

async function publishedDigest(
  { component, env = process.env }: BinaryRequest,
  address: (name: string) => string,
  known: string,
  file: string,
): Promise<Digest> {
  const { algorithm, checksums } = releases[component];
  const kept = await readFile(known, 'utf8').catch(() => undefined);
  if (kept !== undefined) return { algorithm, hex: kept.trim() };
  const url = address(checksums(file));
  const hex = digestIn(await downloadText(url, { env }), file);
  if (hex === undefined || hex.length !== { sha256: 64, sha512: 128 }[algorithm]) {
    throw new KbinError(`${url} names no checksum for ${file}`, {
      step: 'verify the release',
      next: 'Check the version in cluster.yaml, or the mirror in `source: { url: … }`; or pin the digest with `sha256:`.',
    });
  }
  await filled(known, (temporary) => writeFile(temporary, `${hex}\n`));
  return { algorithm, hex };
}

/** `HEX  FILE` or `HEX *FILE` among other lines, or a digest alone. */
function digestIn(text: string, file: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+\*?/));
  const alone = lines.length <= 2 && lines[0]?.length === 1 ? lines[0] : undefined;
  const [hex = ''] = lines.find(([, name]) => name === file || name === `./${file}`) ?? alone ?? [];
  return /^[0-9a-f]+$/i.test(hex) ? hex.toLowerCase() : undefined;
}
