import { causeOf, MemberError } from './causes.ts';
import { dialDirect } from './dial.ts';
import { type LiveMember, type LiveStatus, toDecimal, toMember, toStatus } from './etcd-answers.ts';
import { type OpenClient, openEtcd3 } from './etcd-channel.ts';
import { openRelay, type Relay } from './relay.ts';
import { type EtcdCredentials, type EtcdTarget, parseEndpoint } from './target.ts';

export type { LiveMember, LiveStatus } from './etcd-answers.ts';

/** Milliseconds that one call may take when the caller names no other deadline. */
export const defaultDeadlineMs = 5000;

export interface KeyHead {
  readonly key: string;
  readonly head: string;
}

/**
 * One open client for one member: the library would ask any of several. Every method has the deadline given at opening
 * and rejects with a MemberError that names the cause. Nothing is retried here.
 */
export interface MemberClient {
  readonly target: EtcdTarget;
  /** The member's own view; succeeds without quorum. */
  status(): Promise<LiveStatus>;
  /** Own view too; a member that was removed still shows its last. */
  members(): Promise<readonly LiveMember[]>;
  /** undefined: no such key. A linearizable read proves quorum; a serializable one is this member's own data. */
  get(key: string, consistency: 'linearizable' | 'serializable'): Promise<string | undefined>;
  /** Whether any key begins with this; linearizable. */
  hasKeysBelow(prefix: string): Promise<boolean>;
  /**
   * Keys below `prefix` in their order with the first 300 bytes of each value, as text; at most `limit`, and those after
   * `after`. Serializable, a member's own data, unless asked otherwise.
   */
  heads(
    prefix: string,
    limit: number,
    after?: string,
    consistency?: 'linearizable' | 'serializable',
  ): Promise<readonly KeyHead[]>;
  /** Returns the id of a lease that ends after `seconds`. */
  grantLease(seconds: number): Promise<string>;
  revokeLease(id: string): Promise<void>;
  put(key: string, value: string, leaseId?: string): Promise<void>;
  /** Returns how many keys were deleted. */
  delete(key: string): Promise<number>;
  /** Only the leader can do this. */
  moveLeader(toMemberId: string): Promise<void>;
  addLearner(peerUrls: readonly string[]): Promise<LiveMember>;
  promote(memberId: string): Promise<void>;
  remove(memberId: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a client without connecting yet. Rejects only when the credentials cannot be used at all. */
export async function openMember(
  target: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs = defaultDeadlineMs,
): Promise<MemberClient> {
  const address = parseEndpoint(target.endpoint);
  // A little earlier than the call's own deadline: that nothing could be dialled says more than that nothing was answered.
  const relay = await openRelay(target.dial ?? dialDirect, address, Math.round(deadlineMs * 0.9));
  try {
    const opened = await openEtcd3(address, credentials, deadlineMs, relay);
    return memberClient(target, opened, relay, deadlineMs);
  } catch (error) {
    await relay.close();
    throw new MemberError(target, 'open', causeOf(error));
  }
}

function memberClient(
  target: EtcdTarget,
  { client, close: closeClient }: OpenClient,
  relay: Relay,
  deadlineMs: number,
): MemberClient {
  const ask = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new MemberError(target, step, causeOf(relay.lastFailure() ?? error, { deadlineMs }));
    }
  };
  return {
    target,
    status: () => ask('status', async () => toStatus(await client.maintenance.status())),
    members: () =>
      ask('member list', async () =>
        (await client.cluster.memberList({ linearizable: false })).members.map(toMember),
      ),
    get: (key, consistency) =>
      ask(`${consistency} read`, async () => {
        const answer = await client.kv.range({
          key: Buffer.from(key),
          serializable: consistency === 'serializable',
        });
        return answer.kvs[0]?.value.toString('utf8');
      }),
    hasKeysBelow: (prefix) =>
      ask('look for keys', async () => {
        const { count } = await client.kv.range({
          key: Buffer.from(prefix),
          range_end: Buffer.from(afterAllBelow(prefix)),
          count_only: true,
        });
        return Number(count) > 0;
      }),
    heads: (prefix, limit, after, consistency = 'serializable') =>
      ask('list keys', async () => {
        const start = Buffer.from(after === undefined ? prefix : `${after}\0`);
        const end = Buffer.from(prefix);
        end[end.length - 1] = (end[end.length - 1] ?? 0) + 1;
        const serializable = consistency === 'serializable';
        const answer = await client.kv.range({ key: start, range_end: end, limit, serializable });
        return answer.kvs.map(({ key, value }) => ({
          key: key.toString('utf8'),
          head: value.subarray(0, 300).toString('latin1'),
        }));
      }),
    grantLease: (seconds) =>
      ask('grant lease', async () => (await client.leaseClient.leaseGrant({ TTL: seconds })).ID),
    revokeLease: (id) =>
      ask('revoke lease', async () => {
        await client.leaseClient.leaseRevoke({ ID: id });
      }),
    put: (key, value, leaseId) =>
      ask('write', async () => {
        await client.kv.put({
          key: Buffer.from(key),
          value: Buffer.from(value),
          ...(leaseId === undefined ? {} : { lease: leaseId }),
        });
      }),
    delete: (key) =>
      ask('delete', async () => Number((await client.kv.deleteRange({ key: Buffer.from(key) })).deleted)),
    moveLeader: (to) =>
      ask('move leader', async () => {
        await client.maintenance.moveLeader({ targetID: toDecimal(to) });
      }),
    addLearner: (peerUrls) =>
      ask('add learner', async () =>
        toMember((await client.cluster.memberAdd({ peerURLs: [...peerUrls], isLearner: true })).member),
      ),
    promote: (id) =>
      ask('promote learner', async () => {
        await client.cluster.memberPromote({ ID: toDecimal(id) });
      }),
    remove: (id) =>
      ask('remove member', async () => {
        await client.cluster.memberRemove({ ID: toDecimal(id) });
      }),
    close: async () => {
      closeClient();
      await relay.close();
    },
  };
}

/** The end of the range of all keys with a prefix, whose last character is plain ASCII: that character's successor. */
function afterAllBelow(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
