import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import { ProbeLines } from './lines.ts';

/** One script that looks at files, in one round trip. */
export interface FileScript {
  readonly script: string;
  /** For people: `read certificates`. */
  readonly step: string;
  /** What the error says where it could not be done, and the programs that it needs. */
  readonly failed: string;
  readonly needs: string;
}

/**
 * Its arguments are `TAG:PATH`, and its lines go by their numbers; so no path is ever part of a script's text. Throws
 * KbinError when the host cannot be asked.
 */
export async function readFiles(
  host: Host,
  { script, step, failed, needs }: FileScript,
  asked: readonly (readonly [tag: string, path: string])[],
): Promise<ProbeLines> {
  const argv = asked.map(([tag, path]) => `${tag}:${path}`);
  const result = await host.script(script, argv, { label: step });
  if (result.code === 0) return new ProbeLines(host.name, result.stdout);
  throw new KbinError(failed, {
    host: host.name,
    step,
    why: 'a command that every supported distribution has failed: see its message below',
    next: `Check that ${needs} work there as root.`,
    output: result.stderr.trim(),
  });
}
