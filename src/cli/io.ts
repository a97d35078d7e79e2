import { isatty } from 'node:tty';
import { exitCode, KbinError } from '../errors.ts';

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

/** The process kbin runs in. Its streams are touched when they are needed: making all three costs a few milliseconds. */
export function processIo(): Io {
  const { env } = process;
  return {
    out: (text) => say('stdout', text),
    err: (text) => say('stderr', text),
    get interactive() {
      return isatty(0) && isatty(2);
    },
    get liveProgress() {
      return isatty(2) && env.TERM !== 'dumb';
    },
    get colour() {
      return wantsColour(env, isatty(1) && isatty(2));
    },
    env,
    get cwd() {
      return workingFolder();
    },
    ask: async (question, options) => (await import('./ask.ts')).ask(question, options),
  };
}

const spoken = new Set<'stdout' | 'stderr'>();

/** Why a part of the result did not get out. */
let unsaid: Error | undefined;

function say(stream: 'stdout' | 'stderr', text: string): void {
  if (!spoken.has(stream)) {
    spoken.add(stream);
    // `kbin … | head` closes stdout early: that is the reader's wish. Anything else is told when all is said.
    process[stream].on('error', (error: NodeJS.ErrnoException) => {
      if (stream === 'stdout' && error.code !== 'EPIPE') unsaid ??= error;
    });
  }
  process[stream].write(text);
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    const next = 'change to a folder that exists';
    throw new KbinError('the folder that kbin was started in is gone', { next, exit: exitCode.usage, cause });
  }
}

/** https://no-color.org, and FORCE_COLOR as Node itself reads it. */
function wantsColour(env: Io['env'], terminals: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return terminals && env.TERM !== 'dumb';
}

/** Waits until everything said has left the process, so that an explicit exit cuts nothing off. */
export async function drained(): Promise<void> {
  const flush = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => {
      if (stream.destroyed || stream.writableEnded) resolve();
      else stream.write('', () => resolve());
    });
  await Promise.all([...spoken].map((name) => flush(process[name])));
  if (unsaid === undefined) return;
  const why = unsaid.message;
  unsaid = undefined;
  throw new KbinError('the result could not be written', {
    why,
    next: 'send it elsewhere; asking again changes nothing',
  });
}
