import { setTimeout as sleep } from 'node:timers/promises';
import { desiredObjects } from '../desired/objects.ts';
import type { ControlPlaneHealth } from '../health/check.ts';
import { type ControlPlaneHealthOptions, controlPlaneHealth } from '../health/control-plane.ts';
import type { Deployment } from './deployment.ts';

/** Seconds: a lease of 15 s that its holder was restarted with has to run out before another one leads. */
const electionSeconds = 30;

/** The health of the whole. That nobody leads for the moment is what restarts lead to, and passes. */
export async function onceElected(look: () => Promise<ControlPlaneHealth>): Promise<ControlPlaneHealth> {
  for (const end = performance.now() + electionSeconds * 1000; ; await sleep(1000)) {
    const health = await look();
    const failed = health.checks.filter(({ status }) => status === 'fail');
    const isElecting = failed.length > 0 && failed.every(({ id }) => id.endsWith('-leader'));
    if (!isElecting || performance.now() > end) return health;
  }
}

/** Looks at the whole control plane, as often as it is asked to. */
export function healthReport({ cluster, store, connect }: Pick<Deployment, 'cluster' | 'store' | 'connect'>) {
  const parts = { cluster, store, connect, objects: desiredObjects(cluster) };
  return (options: ControlPlaneHealthOptions = {}) => controlPlaneHealth(parts, options);
}
