import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { buildKbin } from '../../scripts/build.ts';

/**
 * Runs a terminal session that stands in a file, with the real program, and compares the whole of it:
 *
 *     ## anything that is neither a command nor output
 *     $ kbin plan --exit-code
 *     what it said, stdout and stderr as they came
 *     [exit 3]
 *     $ cat >cluster.yaml <<'END'
 *     > name: prod
 *     > END
 *
 * The session runs in an empty folder, shown as /work, which is its home too; bash runs the commands one after the
 * other in one shell, so that `cd` and variables stay. What writes to stderr after its output is not piped: nothing
 * orders the two then (`kbin … >out` and `head out` instead). `vitest -u` writes what the program says now into the
 * file.
 */
export async function expectTranscript(file: string, options: TranscriptOptions = {}): Promise<void> {
  const written = readFileSync(file, 'utf8');
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kbin-transcript-')));
  try {
    const steps = parse(written);
    const outputs = play(steps, folder, await programFolder(), options);
    const seen = steps.flatMap((step, index) => [
      ...step.lines,
      ...shown(outputs[index] ?? '', folder, options),
    ]);
    await expect(`${seen.join('\n')}\n`).toMatchFileSnapshot(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface TranscriptOptions {
  /** More environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What differs from run to run (dates, digests), and what is compared in its place. */
  readonly replace?: readonly (readonly [RegExp, string])[];
}

interface Step {
  /** The comments before the command, and the command's own lines. */
  readonly lines: readonly string[];
  /** What bash is given; undefined after the last command. */
  readonly command?: string;
}

function parse(text: string): readonly Step[] {
  const steps: { lines: string[]; command?: string }[] = [];
  let comments: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (line.startsWith('$ ')) {
      steps.push({ lines: [...comments, line], command: line.slice(2) });
      comments = [];
    } else if (line.startsWith('> ') && last !== undefined) {
      last.lines.push(line);
      last.command += `\n${line.slice(2)}`;
    } else if (line.startsWith('## ')) comments.push(line);
  }
  return steps;
}

const end = '\u0001';

/** One bash for all; after each command it prints a mark with the exit code. */
function play(steps: readonly Step[], folder: string, program: string, { env }: TranscriptOptions): string[] {
  const script = steps.map(({ command }) => `${command}\nprintf '${end}%s${end}' "$?"\n`).join('');
  const { stdout, error } = spawnSync('bash', ['-c', `exec 2>&1 </dev/null\n${script}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    env: {
      PATH: `${program}:${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: folder,
      XDG_CACHE_HOME: join(program, 'cache'),
      KBIN_NODE: process.execPath,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ...env,
    },
  });
  if (error !== undefined) throw error;
  const parts = stdout.split(end);
  return steps.map((_step, index) => {
    const code = parts[2 * index + 1];
    return `${parts[2 * index]}${code === '0' ? '' : `[exit ${code}]\n`}`;
  });
}

function shown(output: string, folder: string, { replace = [] }: TranscriptOptions): string[] {
  const plain = replace.reduce(
    (text, [what, by]) => text.replaceAll(what, by),
    output.replaceAll(folder, '/work'),
  );
  return plain === '' ? [] : plain.replace(/\n$/, '').split('\n');
}

let built: Promise<string> | undefined;

/** A folder with the program as `make build` makes it, from the sources as they are now; once per test file. */
export function programFolder(): Promise<string> {
  built ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kbin-program-'));
    await buildKbin(folder);
    return folder;
  })();
  return built;
}

afterAll(async () => {
  const folder = await built?.catch(() => undefined);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});
