import type { Judgement } from './index.ts';

export const reachable: Judgement = ({ members }) =>
  members.map(({ target, reading: { status, failure, latencyMs } }) => {
    const base = { id: 'member-reachable', target: target.name } as const;
    if (status === undefined) {
      return {
        ...base,
        status: 'fail',
        message: failure?.message ?? 'does not answer',
        next: failure?.next ?? 'see whether etcd runs on that host',
      };
    }
    return { ...base, status: 'pass', message: `answers in ${(latencyMs ?? 0).toFixed(1)} ms` };
  });
