import type { Check } from '../check.ts';
import { isQuorum, quorumOf, tolerance } from '../quorum.ts';
import type { Judgement } from './index.ts';
import { answering, mainCluster, trustedMembership } from './main-cluster.ts';

export const voterCount: Judgement = (evidence) => {
  const membership = trustedMembership(evidence);
  if (membership === undefined) return [];
  const voters = membership.filter((member) => !member.isLearner).length;
  const healthy = mainCluster(evidence).filter(
    ({ reading, status }) => reading.quorum && status.leaderId !== undefined && !status.isLearner,
  ).length;
  const base = { id: 'quorum' } as const;
  const count = `${healthy} of ${voters} voting members healthy, quorum is ${quorumOf(voters)}`;
  if (!isQuorum(healthy, voters)) {
    return [
      {
        ...base,
        status: 'fail',
        message: `${count}: ${healthy === 0 ? 'nothing can be written' : 'too few are known to be healthy'}`,
        next: 'bring members back (for a cluster of kbin’s own, `kbin etcd deploy` starts them); with --endpoints, name every member',
      },
    ];
  }
  const spare = healthy - quorumOf(voters);
  if (spare < tolerance(voters)) {
    return [
      {
        ...base,
        status: 'warn',
        message: `${count}: ${spare === 0 ? 'the loss of one more stops all writes' : `${spare} more may be lost`}`,
        next: 'see to the members that are unhealthy, or were not asked, before anything else is taken down',
      },
    ];
  }
  if (voters > 1 && voters % 2 === 0) {
    return [
      {
        ...base,
        status: 'warn',
        message: `${count}: an even number survives no more losses than ${voters - 1} would`,
        next: 'run an odd number of members',
      },
    ];
  }
  const words = spare === 0 ? 'no member may be lost' : `${spare} may be lost`;
  return [{ ...base, status: 'pass', message: `${count}: ${words}` }];
};

export const quorumWrite: Judgement = ({ canary }) => {
  const base = { id: 'quorum-write' } as const;
  const checks: Check[] = [];
  if (canary.writtenThrough === undefined) {
    checks.push({
      ...base,
      status: 'fail',
      message: `no member could write: ${canary.failure?.message ?? 'none answers'}`,
      next: canary.failure?.next ?? 'bring a majority of the members back',
    });
  } else {
    checks.push({
      ...base,
      status: 'pass',
      message: `a canary key was written through ${canary.writtenThrough} in ${(canary.writeMs ?? 0).toFixed(0)} ms`,
    });
  }
  if (canary.leftBehind !== undefined) {
    checks.push({
      id: 'canary-deleted',
      status: 'warn',
      message: `${canary.key} could not be deleted: ${canary.leftBehind.message}`,
      next: 'nothing: its lease removes it within a minute',
    });
  }
  return checks;
};

export const quorumRead: Judgement = (evidence) => {
  const { canary } = evidence;
  if (canary.writtenThrough === undefined) return [];
  return answering(evidence).map(({ target, status }): Check => {
    const base = { id: 'quorum-read', target: target.name } as const;
    const read = canary.reads.find(({ name }) => name === target.name);
    const problem = read?.linearizable ?? read?.local;
    if (read === undefined) return { ...base, status: 'skip', message: 'was not asked for the canary key' };
    if (problem !== undefined)
      return { ...base, status: 'fail', message: problem.message, next: problem.next };
    if (status.isLearner) return { ...base, status: 'pass', message: 'has the canary key in its own data' };
    return {
      ...base,
      status: 'pass',
      message: `read the canary key in ${(read.latencyMs ?? 0).toFixed(1)} ms`,
    };
  });
};
