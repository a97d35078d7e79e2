import { exitCode, KbinError } from '../errors.ts';
import type { SigningProfile } from './config.ts';

const minute = 60_000;
export const backdated = 5 * minute;

/** RFC 5280 section 4.1.2.5: GeneralizedTime has four digits for the year. */
const endOfTime = new Date('9999-12-31T23:59:59Z');

/** From the full minute, backdated; it ends the whole expiry after its start, not after now. */
export function validity(
  {
    expiry,
    backdate,
    notBefore,
    notAfter,
  }: Pick<SigningProfile, 'expiry' | 'backdate' | 'notBefore' | 'notAfter'>,
  now: Date,
): { notBefore: Date; notAfter: Date } {
  const start = notBefore ?? new Date(Math.round(now.getTime() / minute) * minute - (backdate || backdated));
  const end = notAfter ?? new Date(start.getTime() + expiry);
  return checkedSpan(start, end);
}

export function checkedSpan(start: Date, end: Date): { notBefore: Date; notAfter: Date } {
  const wrong =
    end <= start ? 'end before it begins' : end > endOfTime ? 'end after the year 9999' : undefined;
  if (wrong === undefined && start.getUTCFullYear() >= 1950) return { notBefore: start, notAfter: end };
  throw new KbinError(`the certificate would ${wrong ?? 'begin before the year 1950'}`, {
    why: `it would be valid from ${start.toISOString()} to ${end.toISOString()}`,
    next: 'change expiry, backdate, not_before or not_after',
    exit: exitCode.usage,
  });
}
