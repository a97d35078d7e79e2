import { X509Certificate } from 'node:crypto';
import type { Patience } from '../health/gates.ts';
import type { Task } from './commit.ts';

/** Seconds that a component may take to notice a new certificate by itself: it looks once a minute. */
const noticing = 90;

/**
 * Of the certificate that the component is given to serve, as X509Certificate.fingerprint256 has it. Asked for whether
 * its bundle changes in this run or not: an earlier one may have been cut off before it saw what is served.
 */
export function issuedFingerprint({ component }: Pick<Task, 'component'>): string | undefined {
  const files = component.bundles.flatMap((bundle) => bundle.files);
  const content = files.find(({ path }) => path === 'server.crt')?.content;
  return content?.kind === 'text' ? new X509Certificate(content.text).fingerprint256 : undefined;
}

export function provePatience(
  { plan }: Task,
  within: number,
  signal: AbortSignal,
  onLast: (seen: string) => void,
): Patience {
  return { within: plan.disruption === 'none' ? Math.max(within, noticing) : within, signal, onLast };
}
