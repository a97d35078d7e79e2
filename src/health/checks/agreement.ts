import type { Check } from '../check.ts';
import type { Judgement } from './index.ts';
import { type Answering, answering, byCluster, listing, mainCluster, nameOf } from './main-cluster.ts';

export const oneCluster: Judgement = (evidence) => {
  const clusters = byCluster(evidence);
  const [main, ...others] = clusters;
  if (main === undefined) return [];
  if (others.length === 0) return [{ id: 'one-cluster', status: 'pass', message: `cluster id ${main[0]}` }];
  const shown = clusters.map(
    ([id, members]) => `${id}: ${listing(members.map(({ target }) => target.name))}`,
  );
  return others.flatMap(([id, members]) =>
    members.map(
      ({ target, reading }): Check => ({
        id: 'one-cluster',
        target: target.name,
        status: 'fail',
        message:
          `belongs to another etcd cluster (id ${id}, ${reading.members?.length ?? 'unknown number of'} members) ` +
          `than the rest (${shown.join('; ')})`,
        next: 'check the endpoint; if the member was started anew with an empty data directory, remove it from the cluster and add it again',
      }),
    ),
  );
};

export const leaderAgreed: Judgement = (evidence) => {
  const main = mainCluster(evidence);
  if (main.length === 0) return [];
  const groups = Map.groupBy(main, ({ status }) => status.leaderId);
  const leaderless = groups.get(undefined) ?? [];
  groups.delete(undefined);
  const followed = [...groups].map(([id, members]) => ({ leader: nameOf(evidence, id ?? ''), members }));
  const [first] = followed;
  if (first === undefined) return [noLeader(main)];
  if (followed.length > 1) return [differ(followed)];
  if (leaderless.length > 0) return leaderless.map((member) => cutOff(member, first));
  const terms = listing([...new Set(main.map(({ status }) => status.raftTerm))]);
  return [
    {
      id: 'leader-agreed',
      status: 'pass',
      message: `${first.leader} leads (term ${terms}); all ${main.length} that answer agree`,
    },
  ];
};

interface Following {
  readonly leader: string;
  readonly members: readonly Answering[];
}

function noLeader(members: readonly Answering[]): Check {
  return {
    id: 'leader-agreed',
    status: 'fail',
    message: `no leader: ${listing(names(members))} ${members.length === 1 ? 'answers' : 'answer'} but cannot elect one`,
    next: 'quorum is lost: start the members that are down, and see whether the peer ports reach each other',
  };
}

function differ(followed: readonly Following[]): Check {
  const sides = followed.map(({ leader, members }) => `${listing(names(members))} say ${leader}`);
  return {
    id: 'leader-agreed',
    status: 'fail',
    message: `the members name different leaders: ${sides.join('; ')}`,
    next: 'an election may be going on: look again; if it stays, see whether the peer ports reach each other',
  };
}

function cutOff(member: Answering, { leader, members }: Following): Check {
  return {
    id: 'leader-agreed',
    target: member.target.name,
    status: 'fail',
    message: `knows no leader, while ${listing(names(members))} follow${members.length === 1 ? 's' : ''} ${leader}: it is cut off from its peers`,
    next: `see whether ${member.target.name} and the others reach each other's peer ports, and trust each other's peer certificates`,
  };
}

function names(members: readonly Answering[]): string[] {
  return members.map(({ target }) => target.name);
}

export const versions: Judgement = (evidence) => {
  const found = Map.groupBy(answering(evidence), ({ status }) => status.version);
  if (found.size === 0) return [];
  const shown = [...found].map(([version, members]) => `${version} on ${listing(names(members))}`);
  if (found.size === 1) return [{ id: 'versions', status: 'pass', message: `etcd ${shown[0]}` }];
  const minors = [...found.keys()].map(minorOf);
  const apart = Math.max(...minors) - Math.min(...minors);
  return [
    {
      id: 'versions',
      status: apart > 1 ? 'fail' : 'warn',
      message: `the members run different versions: ${shown.join('; ')}`,
      next:
        apart > 1
          ? 'etcd supports one minor version of difference: bring the older members up one minor at a time'
          : 'fine during an upgrade; otherwise finish it',
    },
  ];
};

function minorOf(version: string): number {
  const [major, minor] = version.split('.').map(Number);
  return (major ?? 0) * 1000 + (minor ?? 0);
}

/** Raft entries. etcd itself refuses writes when a member is 5000 behind what is committed. */
const lag = { warn: 1000, fail: 5000 };

export const raftLag: Judgement = (evidence) => {
  const main = mainCluster(evidence);
  const most = Math.max(0, ...main.map(({ status }) => Number(status.appliedIndex)));
  return main.map(({ target, status }): Check => {
    const behind = most - Number(status.appliedIndex);
    const base = { id: 'raft-lag', target: target.name } as const;
    if (behind <= lag.warn)
      return { ...base, status: 'pass', message: `applied index ${status.appliedIndex}` };
    return {
      ...base,
      status: behind > lag.fail ? 'fail' : 'warn',
      message: `is ${behind} raft entries behind the furthest member (${status.appliedIndex} of ${most})`,
      next: 'see disk latency and load of that host, and the network to the leader',
    };
  });
};
