import { createHash } from 'node:crypto';
import { joiningValues, keptLines } from '../desired/components/etcd-joining.ts';

/** Hex ids, as etcdctl prints them: without leading zeros. */
export interface EtcdIdentity {
  readonly clusterId: string;
  readonly memberId: string;
}

export function sameId(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && BigInt(`0x${a}`) === BigInt(`0x${b}`);
}

/**
 * The ids that etcd gives to a cluster bootstrapped with these settings, and to this member of it. They follow from peer
 * URLs and token alone: server/etcdserver/api/membership, computeMemberID (member.go) and genID (cluster.go), the same in
 * every release since 3.0. undefined when `name` is not in `initialCluster`.
 */
export function bootstrapIdentity(
  initialCluster: string,
  token: string,
  name: string,
): EtcdIdentity | undefined {
  const urls = new Map<string, string[]>();
  for (const entry of initialCluster.split(',')) {
    const [member = '', url = ''] = entry.trim().split(/=(.*)/s);
    urls.set(member, [...(urls.get(member) ?? []), url]);
  }
  const ids = new Map(
    [...urls].map(([member, list]) => [member, firstEightBytes(list.sort().join('') + token)]),
  );
  const own = ids.get(name);
  if (own === undefined) return undefined;
  const sorted = [...ids.values()].sort((a, b) => (a < b ? -1 : 1));
  const bytes = Buffer.alloc(8 * sorted.length);
  sorted.forEach((id, index) => {
    bytes.writeBigUInt64BE(id, 8 * index);
  });
  return { clusterId: firstEightBytes(bytes).toString(16), memberId: own.toString(16) };
}

function firstEightBytes(data: string | Uint8Array): bigint {
  return createHash('sha1').update(data).digest().readBigUInt64BE(0);
}

/** How many members the cluster had when the member with this etcd.conf joined it; 0 when the file does not tell. */
export function membersAtJoining(etcdConf: string | undefined): number {
  const initial = joiningValues(keptLines(etcdConf)).ETCD_INITIAL_CLUSTER ?? '';
  return new Set(initial.split(',').flatMap((entry) => entry.trim().split('=')[0] || [])).size;
}
