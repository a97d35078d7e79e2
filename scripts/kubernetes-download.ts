/**
 * `node scripts/kubernetes-download.ts VERSION ARCHITECTURE FILE`: the official server tarball as FILE, in the way that
 * kbin itself gets it, its published SHA-512 verified. Exit code 1, with one line that says why, where it cannot be had.
 */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { downloaded } from '../src/binaries/official.ts';
import { KbinError } from '../src/errors.ts';

const [version = '', architecture, file = ''] = process.argv.slice(2);
const folder = await mkdtemp(join(dirname(file), 'download-'));
try {
  const source = { kind: 'download' } as const;
  const request = { component: 'kubernetes', version, source } as const;
  const tarball = await downloaded(
    { ...request, architecture: architecture === 'arm64' ? 'arm64' : 'amd64' },
    folder,
  );
  await rename(tarball, file);
} catch (error) {
  if (!(error instanceof KbinError)) throw error;
  process.stderr.write(`kubernetes: ${error.message}: ${error.details.why ?? 'no reason given'}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
