import type { Gap, PlanFinding } from '../diff/changes.ts';
import type { KbinError } from '../errors.ts';

/** What could not be compared, and why. */
export function gapFinding(code: string, gap: Gap, error: KbinError): PlanFinding {
  return {
    severity: 'warning',
    code,
    message: `${gap.what}: ${reasonOf(error)}`,
    next: error.details.next ?? 'see the message',
    gap,
  };
}

export function reasonOf({ message, details }: KbinError): string {
  return details.why === undefined ? message : `${message}: ${details.why}`;
}
