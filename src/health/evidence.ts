import type { CanaryResult } from './canary.ts';
import { type Cause, causeOf, wrongScheme } from './causes.ts';
import { type MemberReading, readMember } from './live.ts';
import { type Address, type EtcdCredentials, type EtcdTarget, parseEndpoint, tryParse } from './target.ts';
import { type AnonymousAnswer, probeAnonymous, probeWire, type Served, speaksOtherScheme } from './wire.ts';

/** What a listener showed of itself, or why it showed nothing. */
export interface ListenerEvidence {
  readonly address: Address;
  readonly served?: Served;
  readonly unserved?: Cause;
  readonly anonymous: AnonymousAnswer;
}

/** Everything that was seen of one member. */
export interface MemberEvidence {
  readonly target: EtcdTarget;
  readonly reading: MemberReading;
  readonly client: ListenerEvidence;
  /** One for each peer URL that is known. */
  readonly peers: readonly ListenerEvidence[];
  /** quota-backend-bytes as the member's metrics tell it. */
  readonly quota?: number;
}

/** Everything that the checks judge; they look at nothing else. */
export interface Evidence {
  readonly members: readonly MemberEvidence[];
  readonly canary: CanaryResult;
  readonly now: Date;
  /** How many voters there should be; undefined: as many as targets are given. */
  readonly expectMembers?: number;
}

/** Looks at one member from all sides. Never rejects; takes at most about four times `deadlineMs`. */
export async function gather(
  target: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs: number,
): Promise<MemberEvidence> {
  const address = parseEndpoint(target.endpoint);
  const [read, client] = await Promise.all([
    readMember(target, credentials, deadlineMs),
    look(address, target, credentials, deadlineMs),
  ]);
  const reading = await withScheme(read, address, deadlineMs);
  const [peers, quota] = await Promise.all([
    Promise.all(peerAddressesOf(target, reading).map((peer) => look(peer, target, credentials, deadlineMs))),
    client.served?.accepted ? readQuota(address, target, credentials, deadlineMs) : undefined,
  ]);
  return { target, reading, client, peers, ...(quota === undefined ? {} : { quota }) };
}

/** A listener that is spoken to in the wrong scheme only hangs up; trying the other one tells. */
async function withScheme(
  reading: MemberReading,
  address: Address,
  deadlineMs: number,
): Promise<MemberReading> {
  const { dial } = reading.target;
  const options = { deadlineMs, ...(dial === undefined ? {} : { dial }) };
  const doubtful = reading.failure?.code === 'connection-lost' || reading.failure?.code === 'wrong-scheme';
  if (!doubtful || !(await speaksOtherScheme(address, options))) return reading;
  return { ...reading, failure: wrongScheme() };
}

/** The member's own word over cluster.yaml's: the check is of what is there. */
function peerAddressesOf(target: EtcdTarget, { status, members }: MemberReading): readonly Address[] {
  const own = members?.find((member) => member.id === status?.memberId)?.peerUrls;
  return (own ?? target.expected?.peerUrls ?? []).flatMap((url) => tryParse(url) ?? []);
}

async function look(
  address: Address,
  { dial }: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs: number,
): Promise<ListenerEvidence> {
  const options = { deadlineMs, ...(dial === undefined ? {} : { dial }) };
  const [served, anonymous] = await Promise.all([
    probeWire(address, credentials, options).then(
      (found) => ({ served: found }),
      (error: unknown) => ({ unserved: causeOf(error, { deadlineMs }) }),
    ),
    address.scheme === 'http' ? ('accepted' as const) : probeAnonymous(address, options),
  ]);
  return { address, anonymous, ...served };
}

/** etcd tells its quota nowhere else before 3.6. */
async function readQuota(
  address: Address,
  { dial }: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs: number,
): Promise<number | undefined> {
  try {
    const options = { deadlineMs, path: '/metrics', ...(dial === undefined ? {} : { dial }) };
    const { body } = await probeWire(address, credentials, options);
    const found = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(body ?? '');
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
