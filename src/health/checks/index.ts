import type { Check } from '../check.ts';
import type { Evidence } from '../evidence.ts';
import { leaderAgreed, oneCluster, raftLag, versions } from './agreement.ts';
import { clientAuthentication, peerListener, servedCertificate } from './listeners.ts';
import { membersCovered } from './members-covered.ts';
import { membership } from './membership.ts';
import { quorumRead, quorumWrite, voterCount } from './quorum.ts';
import { reachable } from './reachable.ts';
import { alarms, databaseSize } from './storage.ts';

/** A pure judgement of what was seen; it may say nothing at all. */
export type Judgement = (evidence: Evidence) => readonly Check[];

/** Every check there is, in the order in which reports show them. */
const judgements: readonly Judgement[] = [
  reachable,
  oneCluster,
  leaderAgreed,
  voterCount,
  membership,
  membersCovered,
  quorumWrite,
  quorumRead,
  alarms,
  versions,
  raftLag,
  databaseSize,
  servedCertificate,
  clientAuthentication,
  peerListener,
];

export function judge(evidence: Evidence): readonly Check[] {
  return judgements.flatMap((judgement) => judgement(evidence));
}
