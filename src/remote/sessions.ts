/**
 * How many commands may run over one connection at once: sshd takes MaxSessions (10 unless its configuration says
 * otherwise) and refuses what is beyond. Waiting ones go in their order.
 */
export class Sessions {
  #limit: number;
  #open = 0;
  #staying = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** No command is under way whose end would make room. */
  get allStay(): boolean {
    return this.#open === this.#staying;
  }

  /**
   * Settles when there is room, or when waiting for it would be in vain: then the server shall say no.
   * @param stays the command has no end of its own: nobody may wait for its session
   */
  async acquire(stays: boolean): Promise<void> {
    if (this.#mayGo) this.#open++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (stays) this.#staying++;
    this.#resume();
  }

  release(stays: boolean): void {
    this.#open--;
    if (stays) this.#staying--;
    this.#resume();
  }

  /** The server takes no more than are open now. */
  learnLimit(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#open));
  }

  get #mayGo(): boolean {
    return this.#open < this.#limit || this.allStay;
  }

  #resume(): void {
    if (!this.#mayGo) return;
    const resume = this.#waiting.shift();
    if (!resume) return;
    this.#open++;
    resume();
  }
}
