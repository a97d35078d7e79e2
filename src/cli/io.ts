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
