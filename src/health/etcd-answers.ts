import type { Etcd3, IMember } from 'etcd3';
import { plainText } from './plain-text.ts';

/** What a member says of itself. Ids are hex as etcdctl prints them, sizes bytes. */
export interface LiveStatus {
  readonly memberId: string;
  readonly clusterId: string;
  readonly version: string;
  /** undefined: it knows no leader. */
  readonly leaderId?: string;
  readonly isLearner: boolean;
  readonly raftTerm: string;
  readonly raftIndex: string;
  readonly appliedIndex: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  /** Alarms that this member knows of, anybody's. */
  readonly alarms: readonly { readonly memberId: string; readonly alarm: string }[];
}

export interface LiveMember {
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export function toStatus(raw: Awaited<ReturnType<Etcd3['maintenance']['status']>>): LiveStatus {
  return {
    memberId: toHex(raw.header.member_id),
    clusterId: toHex(raw.header.cluster_id),
    version: plainText(raw.version),
    ...(raw.leader === '0' ? {} : { leaderId: toHex(raw.leader) }),
    isLearner: raw.isLearner,
    raftTerm: raw.raftTerm,
    raftIndex: raw.raftIndex,
    appliedIndex: raw.raftAppliedIndex,
    dbSize: Number(raw.dbSize),
    dbSizeInUse: Number(raw.dbSizeInUse),
    alarms: raw.errors.flatMap(toAlarm),
  };
}

/** etcd prints its alarms here as `memberID:1234 alarm:NOSPACE `, the id in decimal. */
function toAlarm(text: string): { memberId: string; alarm: string }[] {
  const found = /memberID:(\d+) alarm:(\w+)/.exec(text);
  return found === null ? [] : [{ memberId: toHex(found[1] ?? ''), alarm: found[2] ?? '' }];
}

export function toMember(raw: IMember): LiveMember {
  return {
    id: toHex(raw.ID),
    name: plainText(raw.name),
    peerUrls: raw.peerURLs.map(plainText),
    clientUrls: raw.clientURLs.map(plainText),
    isLearner: raw.isLearner,
  };
}

export function toHex(decimal: string): string {
  return BigInt(decimal).toString(16);
}

export function toDecimal(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}
