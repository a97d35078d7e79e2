import { X509Certificate } from 'node:crypto';
import type { Patience } from '../health/gates.ts';
import { bundlesToStage, type Task } from './commit.ts';

/** Seconds that a component may take to notice a new certificate by itself: it looks once a minute. */
const noticing = 90;

/** Of the certificate that a changed bundle gives the component to serve, as X509Certificate.fingerprint256 has it. */
export function issuedFingerprint(task: Task): string | undefined {
  const files = bundlesToStage(task).flatMap((bundle) => bundle.files);
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
