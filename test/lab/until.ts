/**
 * Polls `probe` until it returns a value other than undefined, and returns that. A probe that throws has not succeeded
 * yet. After `timeoutMs` (default 60 s: generous, machines with two cores run several labs) it throws what was waited
 * for and the last thing seen.
 */
export async function until<T>(
  what: string,
  probe: (saw: (what: string) => undefined) => Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 100 } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last = 'nothing';
  const saw = (seen: string): undefined => {
    last = seen;
  };
  for (;;) {
    try {
      const value = await probe(saw);
      if (value !== undefined) return value;
    } catch (error) {
      last = String(error);
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${timeoutMs / 1000} s; last seen: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
