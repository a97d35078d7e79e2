/** Exit codes of every command: 0 good, 1 failed, 2 wrong usage or configuration, 3 found unhealthy or different. */
export const exitCode = { good: 0, failed: 1, usage: 2, unhealthy: 3 } as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export interface ErrorDetails {
  /** Name of the host it happened on, as in cluster.yaml. */
  host?: string;
  /** What kbin was doing: "upload etcd", "restart etcd.service". */
  step?: string;
  /** The likely cause, in a sentence. */
  why?: string;
  /** What the reader should do next, in a sentence. */
  next?: string;
  /** What the other side said: remote stderr, last journal lines. Never holds a secret. */
  output?: string;
  /** Default `failed`. */
  exit?: ExitCode;
  cause?: unknown;
}

/**
 * An error that a user can act on: what failed, where, why, and what to do next. Printed by src/main.ts alone.
 * Any other error that reaches main is a defect of kbin and printed as one.
 */
export class KbinError extends Error {
  override readonly name = 'KbinError';
  readonly details: ErrorDetails;

  constructor(what: string, details: ErrorDetails = {}) {
    super(what, details.cause === undefined ? {} : { cause: details.cause });
    this.details = details;
  }
}
