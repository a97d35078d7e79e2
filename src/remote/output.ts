import type { Writable } from 'node:stream';
import type { KbinError } from '../errors.ts';

/** What a command may print before kbin takes it for a runaway. */
export const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** A short dialogue before a command gets its own standard input; see sudo.ts. */
export interface Dialogue {
  /**
   * Given everything that came on stderr so far, and the way to answer. Returns what of it belongs to the command once
   * the command itself has started.
   */
  hear(stderr: string, answer: Writable): { readonly rest: string } | undefined;
  /** Why the command never started, when it ended before it did. */
  failed(stderr: string, code: number | null): KbinError;
}

/** What a command has printed so far, without what belongs to the dialogue before it. */
export class Output {
  onLine: (line: string) => void = () => {};
  onOverflow: () => void = () => {};
  /** Settles when the command itself has started. */
  readonly started: Promise<void>;
  hasStarted: boolean;
  readonly #dialogue: Dialogue | undefined;
  readonly #stdin: Writable;
  readonly #stdout: Buffer[] = [];
  #stderr: Buffer[] = [];
  #bytes = 0;
  #begin: () => void = () => {};

  constructor(dialogue: Dialogue | undefined, stdin: Writable) {
    this.#dialogue = dialogue;
    this.#stdin = stdin;
    this.hasStarted = dialogue === undefined;
    this.started = this.hasStarted
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#begin = resolve;
        });
  }

  stdout(chunk: Buffer): void {
    if (!this.#count(chunk)) return;
    const first = !this.#stdout.some((earlier) => earlier.includes(0x0a));
    this.#stdout.push(chunk);
    if (first && chunk.includes(0x0a))
      this.onLine(Buffer.concat(this.#stdout).toString().split('\n')[0] ?? '');
  }

  stderr(chunk: Buffer): void {
    if (!this.#count(chunk)) return;
    this.#stderr.push(chunk);
    if (this.hasStarted) return;
    const heard = this.#dialogue?.hear(Buffer.concat(this.#stderr).toString(), this.#stdin);
    if (!heard) return;
    this.hasStarted = true;
    this.#stderr = [Buffer.from(heard.rest)];
    this.#begin();
  }

  texts(): { stdout: string; stderr: string } {
    return { stdout: Buffer.concat(this.#stdout).toString(), stderr: Buffer.concat(this.#stderr).toString() };
  }

  #count(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_OUTPUT_BYTES) this.onOverflow();
    return this.#bytes <= MAX_OUTPUT_BYTES;
  }
}
