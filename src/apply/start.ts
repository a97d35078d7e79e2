import { waitForAll } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import { commitment } from './commit.ts';
import { act } from './operations.ts';
import { type Member, ownPart, type Rollout, settle } from './rollout.ts';
import { whileAlive } from './unit.ts';
import { onAll } from './work.ts';

/**
 * Starts several members at once and waits until all are healthy: a new cluster, or one that has no quorum, where each
 * member waits for the others and none can be proven alone.
 */
export async function startTogether(
  rollout: Rollout,
  members: readonly Member[],
): Promise<readonly MemberReading[]> {
  const units = await onAll(rollout, members, async ({ name, host, task }) => {
    rollout.progress.step(name, 'starting');
    const began = await act(host, 'commit', commitment(task));
    return { host, unit: task.component.unit.name, began };
  });
  const targets = members.map(({ target }) => target);
  return whileAlive(units, (signal) =>
    waitForAll(targets, rollout.credentials, {
      within: rollout.within,
      onLast: (seen) => {
        for (const { name } of members)
          rollout.progress.step(name, ownPart(name, seen) ?? 'healthy, waiting for the others');
      },
      signal,
    }),
  );
}

/** Clears up after `startTogether`, on all hosts at once. */
export async function settleTogether(
  rollout: Rollout,
  members: readonly Member[],
  readings: readonly MemberReading[],
): Promise<void> {
  await onAll(rollout, members, async (member) => {
    const reading = readings.find(({ target }) => target.name === member.name);
    if (reading !== undefined) await settle(rollout, member, reading);
  });
}
