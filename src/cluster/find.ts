import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCode, KbinError } from '../errors.ts';

/** Where the search starts and what the environment says; the cli's Io has both. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Absolute path of the cluster.yaml to use: `--config`, else $KBIN_CONFIG, else ./cluster.yaml. */
export function findClusterFile(flag: string | undefined, { cwd, env }: Surroundings): string {
  const named = flag ?? (env.KBIN_CONFIG || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const file = resolve(cwd, 'cluster.yaml');
  if (existsSync(file)) return file;
  throw new KbinError('there is no cluster.yaml here', {
    step: `looking for ${file}`,
    next: 'write one with "kbin init", or name yours with --config FILE or $KBIN_CONFIG',
    exit: exitCode.usage,
  });
}
