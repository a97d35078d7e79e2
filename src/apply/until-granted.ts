import { setTimeout as sleep } from 'node:timers/promises';
import { type Cause, type CauseCode, causeOf } from '../health/causes.ts';
import { type MemberClient, openMember } from '../health/etcd-client.ts';
import { describe, healthyVoters, type Patience } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import type { Rollout } from './rollout.ts';

/**
 * What etcd refuses now and grants a little later: a copy is still on its way, every member has to have been connected
 * for 5 s before the list may change, one learner has to get its vote before there is room for the next.
 */
const passing: readonly CauseCode[] = [
  'learner-not-ready',
  'unhealthy-cluster',
  'too-many-learners',
  'no-quorum',
  'not-leader',
  'no-answer',
  'out-of-reach',
];

/** Asks until it is granted, or refused for good, or the time is up. `undefined`: granted. */
export async function untilGranted(
  rollout: Pick<Rollout, 'targets' | 'credentials' | 'within'>,
  ask: (client: MemberClient) => Promise<Cause | undefined>,
  { onLast }: Required<Pick<Patience, 'onLast'>>,
): Promise<Cause | undefined> {
  const end = performance.now() + rollout.within * 1000;
  for (let last = ''; ; ) {
    const failure = await withHealthyMember(rollout, ask);
    if (failure === undefined || !passing.includes(failure.code) || performance.now() > end) return failure;
    if (failure.message !== last) onLast(failure.message);
    last = failure.message;
    await sleep(300);
  }
}

/** Why a wait ended without a grant, in a clause. */
export function refusal({ within }: Pick<Rollout, 'within'>, { code, message }: Cause): string {
  return passing.includes(code) ? `after ${within} s etcd still ${message}` : `etcd ${message}`;
}

/** Asks the leader, or else any healthy voter: membership is changed through consensus, whoever is asked. */
async function withHealthyMember(
  { targets, credentials }: Pick<Rollout, 'targets' | 'credentials'>,
  work: (client: MemberClient) => Promise<Cause | undefined>,
): Promise<Cause | undefined> {
  const { leader, healthy, readings } = await healthyVoters(targets, credentials);
  const target = (leader ?? healthy[0])?.target;
  if (target === undefined) return nobodyToAsk(readings);
  const client = await openMember(target, credentials);
  try {
    return await work(client);
  } catch (error) {
    return causeOf(error);
  } finally {
    await client.close();
  }
}

/** As between two leaders; where it lasts, there is no quorum. */
function nobodyToAsk(readings: readonly MemberReading[]): Cause {
  return {
    code: 'no-quorum',
    message: `has no healthy member that could be asked (${describe(readings)})`,
    next: 'See `kbin etcd status`; bring the members up first.',
  };
}
