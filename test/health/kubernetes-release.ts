import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../scripts/kubernetes.sh');

let folder: Promise<string> | undefined;

/** Folder with the programs of Kubernetes 1.20.2, unpacked beside its tarball; scripts/kubernetes.sh makes that where absent. */
export function kubernetesRelease(): Promise<string> {
  folder ??= unpack();
  return folder;
}

async function unpack(): Promise<string> {
  const tarball = (await run('bash', [script])).stdout.trim();
  const unpacked = join(dirname(tarball), 'unpacked');
  if (await exists(unpacked)) return join(unpacked, 'kubernetes/server/bin');
  // Test files run side by side: whoever renames first wins.
  const work = await mkdtemp(join(dirname(tarball), 'unpack-'));
  await run('tar', ['-C', work, '-xzf', tarball]);
  await rename(work, unpacked).catch(async (error: unknown) => {
    await rm(work, { recursive: true, force: true });
    if (!(await exists(unpacked))) throw error;
  });
  return join(unpacked, 'kubernetes/server/bin');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
