import type { Progress } from '../cli/io.ts';
import type { PlanFinding } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import type { Survey } from './survey.ts';

/**
 * A host that does not answer stops a run: what is on it could be the half of the cluster that counts. `leftOut` says
 * what leaving it out means, in a clause.
 */
export function refuseUnreachable({ unreachable, answered }: Survey, leftOut?: string): void {
  const [first, ...more] = unreachable;
  if (first === undefined) return;
  const { message, details } = first.error;
  const others = more.map(({ host, error }) => `${host}: ${error.message}`);
  const output = [details.output, others.length > 0 ? `also not reached:\n${others.join('\n')}` : undefined];
  throw new KbinError(message, {
    ...details,
    host: first.host,
    next: [
      details.next ?? 'Bring the host back.',
      ...(answered.length === 0
        ? []
        : [
            `Or leave it out of this run with --skip-host ${first.host}${leftOut === undefined ? '' : `: ${leftOut}`}.`,
          ]),
    ].join('\n'),
    output: output.filter((part) => part !== undefined).join('\n'),
    cause: first.error,
  });
}

/** Warnings are told; what must stop a run stops it, all of it at once. */
export function refuseFindings(progress: Pick<Progress, 'note'>, findings: readonly PlanFinding[]): void {
  for (const finding of findings) {
    if (finding.severity === 'warning') progress.note(`warning: ${lineOf(finding)}`);
  }
  const stops = findings.filter(({ severity }) => severity === 'stop');
  const [first] = stops;
  if (first === undefined) return;
  if (stops.length === 1) {
    throw new KbinError(first.message, {
      ...(first.host === undefined ? {} : { host: first.host }),
      step: 'plan, nothing was changed',
      next: first.next,
    });
  }
  const host = stops.every((other) => other.host === first.host) ? first.host : undefined;
  throw new KbinError(`${stops.length} things stand in the way`, {
    ...(host === undefined ? {} : { host }),
    step: 'plan, nothing was changed',
    next: 'See to each of them, and run kbin again.',
    output: stops.map(lineOf).join('\n'),
  });
}

function lineOf({ host, message, next }: PlanFinding): string {
  return `${host === undefined ? '' : `${host}: `}${message}; ${next}`;
}
