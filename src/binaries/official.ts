import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KbinError } from '../errors.ts';
import { filled } from './cache-folder.ts';
import { downloadFile, downloadText, type TransferProgress } from './download.ts';
import { type Release, releases } from './releases.ts';
import { fileDigest, remembered } from './remember.ts';
import type { BinaryRequest } from './request.ts';

/** The official tarball in the cache; asked for only when it is not there, with the digest that its publisher names. */
export async function downloaded(
  request: BinaryRequest,
  cache: string,
  progress?: TransferProgress,
): Promise<string> {
  const { component, version, architecture, source } = request;
  const release = releases[component];
  const base = (source.kind === 'download' ? source.url : undefined) ?? release.url;
  const file = `${release.name(version, architecture)}.tar.gz`;
  const address = (name: string) => `${base.replace(/\/+$/, '')}/${release.path(version, name)}`;
  const path = join(cache, 'downloads', file);
  const published = await publishedDigest(release, address, `${path}.sha256`, file);
  const present = await remembered(cache, path, 'sha256', (one) => fileDigest(one, 'sha256')).catch(() => '');
  if (present !== published) {
    await rm(path, { force: true });
    await downloadFile(address(file), path, published, progress);
  }
  return path;
}

async function publishedDigest(
  release: Release,
  address: (name: string) => string,
  known: string,
  file: string,
): Promise<string> {
  const kept = await readFile(known, 'utf8').catch(() => undefined);
  if (kept !== undefined) return kept.trim();
  const url = address(release.checksums);
  const line = (await downloadText(url))
    .split('\n')
    .find((text) => text.trim().endsWith(` ${file}`) || text.trim().endsWith(`*${file}`));
  const digest = line?.trim().split(/\s+/)[0]?.toLowerCase();
  if (digest === undefined || !/^[0-9a-f]{64}$/.test(digest)) {
    throw new KbinError(`${url} names no checksum for ${file}`, {
      step: 'verify the release',
      next: 'Check the version in cluster.yaml, or the mirror in `source: { url: … }`.',
    });
  }
  await filled(known, (temporary) => writeFile(temporary, `${digest}\n`));
  return digest;
}
