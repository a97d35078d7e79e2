import { KbinError } from '../errors.ts';

/** What is read out of a certificate or request later than its outline: a part may be malformed in any way. */
export function readable<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof KbinError) throw cause;
    throw new KbinError(`${name} has a part that cannot be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'look at it with "openssl x509 -text" or "openssl req -text"',
      cause,
    });
  }
}
