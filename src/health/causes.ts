import { KbinError } from '../errors.ts';
import { type Cause, type CauseCode, type Rule, rules } from './cause-rules.ts';
import { DeadlineError, OutOfReachError } from './dial.ts';
import { plainText } from './plain-text.ts';
import { type EtcdTarget, parseEndpoint } from './target.ts';

export type { Cause, CauseCode } from './cause-rules.ts';

/** Turns what TLS, the network, gRPC or etcd said into a cause. Never throws. */
export function causeOf(error: unknown, context: { deadlineMs?: number } = {}): Cause {
  if (error instanceof MemberError) return error.reason;
  if (error instanceof OutOfReachError) {
    return { code: 'out-of-reach', message: plainText(error.message), next: error.next };
  }
  if (error instanceof DeadlineError) return unanswered(error.message);
  if (error instanceof KbinError) {
    return {
      code: 'ssh',
      message: `cannot be reached through SSH: ${error.message}`,
      next: error.details.next ?? 'see whether the host answers on SSH',
    };
  }
  const text = textOf(error);
  const rule = rules.find((candidate) => candidate.pattern.test(text));
  if (rule === undefined) {
    return {
      code: 'unknown',
      message: `failed: ${text}`,
      next: "see the member's journal (journalctl -u etcd)",
    };
  }
  if (rule.code === 'no-answer') {
    return unanswered(context.deadlineMs === undefined ? text : `no answer after ${context.deadlineMs} ms`);
  }
  return { code: rule.code, message: `${rule.message}${detail(rule.code, text)}`, next: rule.next };
}

/** For what was found out by trying, rather than by an error's words. */
export function wrongScheme(): Cause {
  return causeOf('wrong version number');
}

function unanswered(seen: string): Cause {
  const rule = rules.find((candidate) => candidate.code === 'no-answer') as Rule;
  return { code: 'no-answer', message: `${rule.message} (${seen})`, next: rule.next };
}

/** For these the library's own words add what the reader needs. */
function detail(code: CauseCode, text: string): string {
  const altnames = /altnames: (.*)/i.exec(text)?.[1];
  if (code === 'san-mismatch' && altnames !== undefined)
    return ` (${altnames.replace(/\.?\s*(Resolution note.*)?$/, '')})`;
  if (code === 'bad-credentials' || code === 'no-quorum' || code === 'corrupt') return ` (${text})`;
  return '';
}

/** Code and message in one line, of the error and what it wraps. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return plainText(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : '';
  const inner = error instanceof AggregateError ? ` ${error.errors.map(textOf).join('; ')}` : '';
  return plainText(`${code}${error.message}${inner}`.replace(/\s+/g, ' ').trim());
}

/** A member could not be asked, or refused. `reason` says why in terms that code can act on. */
export class MemberError extends KbinError {
  readonly reason: Cause;

  constructor(target: EtcdTarget, step: string, reason: Cause) {
    super(`etcd member ${target.name} (${target.endpoint}) ${reason.message}`, {
      step: `etcd: ${step}`,
      next: reason.next,
      ...(parseEndpoint(target.endpoint).host === target.name ? {} : { host: target.name }),
    });
    this.reason = reason;
  }
}
