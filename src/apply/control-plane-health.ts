import { setTimeout as sleep } from 'node:timers/promises';
import { desiredObjects } from '../desired/objects.ts';
import type { ControlPlaneHealth } from '../health/check.ts';
import { type ControlPlaneHealthOptions, controlPlaneHealth } from '../health/control-plane.ts';
import type { Deployment } from './deployment.ts';

/** Seconds: a lease of 15 s that its holder was restarted with has to run out before another one leads. */
const settlingSeconds = 30;

/**
 * The health of the whole. That nobody leads for the moment is what restarts lead to, and passes; so does that a
 * component which could not renew its lease meanwhile has ended, since systemd starts it again.
 */
export async function onceSettled(look: () => Promise<ControlPlaneHealth>): Promise<ControlPlaneHealth> {
  for (const end = performance.now() + settlingSeconds * 1000; ; await sleep(1000)) {
    const health = await look();
    const failed = health.checks.filter(({ status }) => status === 'fail');
    const isSettling = failed.length > 0 && failed.every(({ id }) => passing.test(id));
    if (!isSettling || performance.now() > end) return health;
  }
}

const passing = /^(controller-manager|scheduler)-(leader|healthy)$/;

/** Looks at the whole control plane, as often as it is asked to. */
export function healthReport({ cluster, store, connect }: Pick<Deployment, 'cluster' | 'store' | 'connect'>) {
  const parts = { cluster, store, connect, objects: desiredObjects(cluster) };
  return (options: ControlPlaneHealthOptions = {}) => controlPlaneHealth(parts, options);
}
