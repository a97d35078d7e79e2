import { KbinError } from '../errors.ts';
import { readComponent } from '../health/api-gates.ts';
import type { Cause } from '../health/causes.ts';
import type { ControlPlaneRun } from './control-plane-run.ts';
import type { Workplace } from './work.ts';

/** Nobody got as far as the component: nothing is known of it, and what came of a restart could not be told. */
const unknown: readonly string[] = ['out-of-reach', 'ssh'];
/** What a process that hangs looks like; everything else is an answer, and a restart would not change it. */
const silent: readonly string[] = ['no-answer', 'connection-lost', 'refused'];

/** Throws when a component could not be reached, so that it must not be touched. */
export function refuseUnknown(component: string, host: string, failure: Cause | undefined): void {
  if (failure !== undefined && unknown.includes(failure.code)) throw cannotAsk(component, host, failure);
}

/** Throws when what a component answers is a refusal: others may well be served by it. */
export function refuseStranger(component: string, host: string, failure: Cause | undefined): void {
  if (failure !== undefined && !silent.includes(failure.code)) throw cannotAsk(component, host, failure);
}

function cannotAsk(component: string, host: string, failure: Cause): KbinError {
  return new KbinError(`${component} on ${host} runs and cannot be asked`, {
    host,
    step: `ask ${component}`,
    why: `it ${failure.message}; a restart would not help, and it may well do its work`,
    next: failure.next,
  });
}

/**
 * Before anything is uploaded: controller-managers and schedulers listen on their own host alone, so sshd there has to
 * forward to them. Throws where it does not: they could never be proven.
 */
export async function refuseWithoutForwarding(
  { others, credentials }: Pick<ControlPlaneRun, 'others' | 'credentials'>,
  places: readonly Workplace[],
): Promise<void> {
  const names = [...new Set(places.map(({ name }) => name))];
  await Promise.all(
    names.map(async (name) => {
      const target = others.find((one) => one.name === name);
      if (target === undefined) return;
      const { failure } = await readComponent(target, { ca: credentials.ca });
      if (failure === undefined || !unknown.includes(failure.code)) return;
      throw new KbinError(`${target.component} on ${name} could not be asked how it is`, {
        host: name,
        step: 'plan, nothing was changed',
        why: `it listens on the host alone, and ${failure.message}`,
        next: 'Let sshd on that host forward to its own ports (AllowTcpForwarding local, or yes).',
      });
    }),
  );
}
