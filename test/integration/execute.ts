import { execFile } from 'node:child_process';

export interface Run {
  /** -1 where it was killed or could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecuteOptions {
  readonly cwd?: string;
  /** The whole of it. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default 120 s. */
  readonly timeoutMs?: number;
}

/** A program on the operator's machine; a failing one is a result. */
export function execute(file: string, argv: readonly string[], options: ExecuteOptions = {}): Promise<Run> {
  const { cwd, env = process.env, timeoutMs = 120_000 } = options;
  return new Promise((resolve) => {
    execFile(file, argv, { cwd, env, timeout: timeoutMs, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** As execute, for programs that must succeed; returns stdout. */
export async function succeed(
  file: string,
  argv: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await execute(file, argv, options);
  if (code !== 0) throw new Error(`${file} ${argv.join(' ')} → ${code}: ${stderr || stdout}`);
  return stdout;
}
