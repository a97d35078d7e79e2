/** A deadline that stands still while a person is being asked something. */
export class Deadline {
  readonly seconds: number;
  readonly #expire: () => void;
  #remainingMs: number;
  #startedAt = 0;
  #pauses = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Calls `expire` once when `seconds` have passed, unless cleared before. */
  constructor(seconds: number, expire: () => void) {
    this.seconds = seconds;
    this.#expire = expire;
    this.#remainingMs = seconds * 1000;
    this.#start();
  }

  /** Waits for work that takes a person's time. */
  async pausedDuring<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) this.#stop();
    try {
      return await work();
    } finally {
      if (--this.#pauses === 0) this.#start();
    }
  }

  clear(): void {
    this.#stop();
    this.#remainingMs = Number.POSITIVE_INFINITY;
  }

  #start(): void {
    if (this.#remainingMs === Number.POSITIVE_INFINITY) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(this.#expire, this.#remainingMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#remainingMs -= performance.now() - this.#startedAt;
  }
}
