import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { KbinError } from '../errors.ts';
import { hasCode, writeAll } from './cache-folder.ts';

/**
 * Unpacks the named programs of a release tarball (`NAME/PROGRAM` or `NAME/…/bin/PROGRAM`) into a new folder. Nothing
 * else is written, whatever paths the tarball holds. Streams: memory stays small.
 *
 * @returns the release's folder name as the tarball has it, e.g. `etcd-v3.5.16-linux-amd64`.
 */
export async function unpack(
  tarball: string,
  programs: readonly string[],
  folder: string,
): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  const entries = extract();
  let release: string | undefined;
  const writing = (async () => {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      const match = /^(?:\.\/)?([^/]+)\/(?:(?:[^/]+\/)*bin\/)?([^/]+)$/.exec(name);
      const [, top, program] = match ?? [];
      if (type === 'file' && top !== undefined && program !== undefined && programs.includes(program)) {
        release = top;
        await writeAll(join(folder, program), entry as AsyncIterable<Uint8Array>, 0o755);
      } else entry.resume();
    }
  })();
  const reading = pipeline(createReadStream(tarball, { highWaterMark: 1 << 18 }), createGunzip(), entries);
  const [read, written] = await Promise.allSettled([reading, writing]);
  const failure = [read, written].find((result) => result.status === 'rejected');
  if (failure?.status === 'rejected') throw unreadable(tarball, failure.reason);
  return release;
}

function unreadable(tarball: string, error: unknown): unknown {
  const own =
    error instanceof KbinError ||
    ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'].some((code) => hasCode(error, code));
  if (own) return error;
  const text = error instanceof Error ? error.message : String(error);
  const cut = hasCode(error, 'Z_BUF_ERROR') || /unexpected end/i.test(text);
  const why = cut
    ? 'it ends too early: the download or copy was cut off'
    : hasCode(error, 'Z_DATA_ERROR')
      ? 'it is not a gzip-compressed tarball, or it is damaged'
      : `it cannot be read: ${text}`;
  return new KbinError(`${tarball} is not a usable release`, {
    step: 'unpack the release',
    why,
    next: 'Fetch the official .tar.gz again; pin it with `sha256:` beside its path to be sure of it.',
    cause: error,
  });
}
