import type { Check } from '../check.ts';
import type { Judgement } from './index.ts';
import { answering, mainCluster, nameOf } from './main-cluster.ts';

const remedies: Readonly<Record<string, { readonly means: string; readonly next: string }>> = {
  NOSPACE: {
    means: 'its database has reached the quota, and the whole cluster refuses writes',
    next: 'compact, defragment each member, then `etcdctl alarm disarm`; or raise quota-backend-bytes',
  },
  CORRUPT: {
    means: 'its data differs from that of the other members',
    next: 'remove this member and add it again with an empty data directory; take a snapshot of a good one first',
  },
};

export const alarms: Judgement = (evidence) => {
  const main = mainCluster(evidence);
  if (main.length === 0) return [];
  const raised = new Map(
    main.flatMap(({ status }) => status.alarms).map((one) => [`${one.memberId} ${one.alarm}`, one]),
  );
  if (raised.size === 0) return [{ id: 'alarms', status: 'pass', message: 'no alarm is raised' }];
  return [...raised.values()].map(
    ({ memberId, alarm }): Check => ({
      id: 'alarms',
      target: nameOf(evidence, memberId),
      status: 'fail',
      message: `alarm ${alarm}: ${remedies[alarm]?.means ?? 'see the etcd documentation'}`,
      next: remedies[alarm]?.next ?? 'see `etcdctl alarm list`',
    }),
  );
};

/** Share of the quota. */
const share = { warn: 0.8, fail: 0.95 };

export const databaseSize: Judgement = (evidence) =>
  answering(evidence).map(({ target, status, quota }): Check => {
    const base = { id: 'database-size', target: target.name } as const;
    if (quota === undefined || quota <= 0) {
      return {
        ...base,
        status: 'skip',
        message: `${sized(status.dbSize)}; the member does not tell its quota`,
      };
    }
    const used = status.dbSize / quota;
    const message = `${sized(status.dbSize)} of ${sized(quota)} (${Math.round(used * 100)} %)`;
    if (used < share.warn) return { ...base, status: 'pass', message };
    return {
      ...base,
      status: used < share.fail ? 'warn' : 'fail',
      message: `${message}: at 100 % the cluster refuses writes`,
      next: 'compact and defragment, or raise quota-backend-bytes',
    };
  });

function sized(bytes: number): string {
  const mebibytes = bytes / (1 << 20);
  if (mebibytes < 1) return `${Math.round(bytes / 1024)} KiB`;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
