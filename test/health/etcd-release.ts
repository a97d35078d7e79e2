import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../scripts/etcd.sh');

let tarballs: Promise<readonly string[]> | undefined;

/** Folder with etcd and etcdctl of a release, unpacked beside its tarball; scripts/etcd.sh makes that where absent. */
export async function etcdRelease(version: string): Promise<string> {
  tarballs ??= run('bash', [script]).then(({ stdout }) => stdout.trim().split('\n'));
  const tarball = (await tarballs).find((path) => basename(path).startsWith(`etcd-v${version}-`));
  if (tarball === undefined) throw new Error(`scripts/etcd.sh makes no etcd ${version}`);
  const folder = tarball.replace(/\.tar\.gz$/, '');
  if (await exists(join(folder, 'etcd'))) return folder;
  // Test files run side by side: whoever renames first wins.
  const work = await mkdtemp(join(dirname(tarball), 'unpack-'));
  await run('tar', ['-C', work, '-xzf', tarball]);
  await rename(join(work, basename(folder)), folder).catch(async (error: unknown) => {
    if (!(await exists(join(folder, 'etcd')))) throw error;
  });
  await rm(work, { recursive: true, force: true });
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
