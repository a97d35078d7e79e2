import { isatty } from 'node:tty';
import { KbinError } from '../errors.ts';

/**
 * Everything a command says goes through here. Results go to stdout (a table, or JSON with --json), progress and
 * warnings to stderr. Nothing asks a question unless `interactive`.
 */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** stdin and stderr are terminals. */
  readonly interactive: boolean;
  /** stderr is a terminal: progress may redraw lines. */
  readonly liveProgress: boolean;
  readonly colour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Asks on the terminal; `secret` does not echo. Only when interactive. */
  ask(question: string, options?: { secret?: boolean; fallback?: string }): Promise<string>;
}

/** What a step of work on a host tells while it goes on; src/cli/progress.ts shows it as one line per host. */
export interface Progress {
  step(host: string, text: string): void;
  transfer(host: string, what: string, sent: number, total: number): void;
  done(host: string, text: string): void;
  fail(host: string, text: string): void;
  note(text: string): void;
  end(): void;
}

/** The process kbin runs in. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  // `kbin … | head` closes stdout early: that is the reader's wish. Anything else is told when all is said.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') unsaid ??= error;
  });
  // Not stdin.isTTY: making the stream costs a cold process 5 ms, and few commands read it.
  const interactive = isatty(0) && stderr.isTTY === true;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive,
    liveProgress: stderr.isTTY === true && env.TERM !== 'dumb',
    colour: wantsColour(env, stdout.isTTY === true && stderr.isTTY === true),
    env,
    cwd: process.cwd(),
    ask: async (question, options) => (await import('./ask.ts')).ask(question, options),
  };
}

/** https://no-color.org, and FORCE_COLOR as Node itself reads it. */
function wantsColour(env: Io['env'], terminals: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return terminals && env.TERM !== 'dumb';
}

/** Why a part of the result did not get out. */
let unsaid: Error | undefined;

/** Waits until everything said has left the process, so that an explicit exit cuts nothing off. */
export async function drained(): Promise<void> {
  const flush = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => {
      if (stream.destroyed || stream.writableEnded) resolve();
      else stream.write('', () => resolve());
    });
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  if (unsaid === undefined) return;
  const why = unsaid.message;
  unsaid = undefined;
  throw new KbinError('the result could not be written', {
    why,
    next: 'send it elsewhere; asking again changes nothing',
  });
}
