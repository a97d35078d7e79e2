import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The releases that tests can run; scripts/etcd.sh has them in its cache, or gets them. */
export const realVersions = ['3.4.23', '3.5.16'] as const;
export type RealVersion = (typeof realVersions)[number];

/** The path of a real etcd, unpacked into a new folder below /tmp. */
export function unpackEtcd(version: RealVersion): string {
  const root = join(import.meta.dirname, '../..');
  const tarballs = execFileSync('bash', ['scripts/etcd.sh'], { cwd: root, encoding: 'utf8' }).split('\n');
  const tarball = tarballs.find((path) => path.includes(`etcd-v${version}-`));
  if (tarball === undefined) throw new Error(`scripts/etcd.sh made no etcd ${version}`);
  const folder = mkdtempSync(join(tmpdir(), `kbin-etcd-${version}-`));
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  return join(folder, 'etcd');
}

export function run(binary: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(binary, args, { encoding: 'utf8', timeout: 20_000 });
}
