/**
 * How many commands may run over one connection at once: sshd takes MaxSessions (10 unless its configuration says
 * otherwise) and refuses what is beyond. Waiting ones go in their order.
 */
export class Sessions {
  #limit: number;
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get open(): number {
    return this.#open;
  }

  async acquire(): Promise<void> {
    if (this.#open >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#open++;
  }

  release(): void {
    this.#open--;
    this.#next();
  }

  /** The server refused one more than it has: give it back, and never ask for so many again. */
  learnLimit(): void {
    this.#open--;
    this.#limit = Math.max(1, Math.min(this.#limit, this.#open));
  }

  #next(): void {
    while (this.#open < this.#limit) {
      const resume = this.#waiting.shift();
      if (!resume) return;
      this.#open++;
      resume();
    }
  }
}
