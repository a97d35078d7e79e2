import type { Check } from '../../check.ts';
import type { ControlPlaneJudgement } from './index.ts';
import { names, refusals, worded } from './objects-agree.ts';

/** A service account's token that one apiserver signed is good at every other. */
export const tokensAccepted: ControlPlaneJudgement = ({ canaries }) => {
  const id = 'tokens-accepted';
  if (typeof canaries === 'string') return [{ id, status: 'skip', message: canaries }];
  return canaries.canaries.map(({ through, signFailure, reviews }): Check => {
    const base = { id, target: through } as const;
    if (signFailure !== undefined) {
      const message = `no service-account token could be had from it: ${signFailure.message}`;
      return { ...base, status: 'fail', message, next: signFailure.next };
    }
    const failed = refusals(reviews);
    if (failed.length === 0)
      return { ...base, status: 'pass', message: `a token signed by it is accepted by ${names(reviews)}` };
    return {
      ...base,
      status: 'fail',
      message: `a token signed by it is refused by ${failed.map(worded).join('; ')}`,
      next: failed[0]?.failure.next ?? '`kbin plan` shows what differs',
    };
  });
};
