import type { Check } from '../../src/health/check.ts';

/** `status id target: message` of everything that is not well. */
export function findings({ checks }: { readonly checks: readonly Check[] }): string[] {
  return checks
    .filter(({ status }) => status === 'fail' || status === 'warn')
    .map(({ status, id, target, message }) => `${status} ${id}${target ? ` ${target}` : ''}: ${message}`);
}
