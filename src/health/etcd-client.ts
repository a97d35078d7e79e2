import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import type { Etcd3, IMember } from 'etcd3';
import { causeOf, MemberError } from './causes.ts';
import { dialDirect } from './dial.ts';
import { openRelay, type Relay } from './relay.ts';
import { type Address, type EtcdCredentials, type EtcdTarget, parseEndpoint } from './target.ts';

/** Milliseconds that one call may take when the caller names no other deadline. */
export const defaultDeadlineMs = 5000;

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
  const relay = await openRelay(target.dial ?? dialDirect, address, deadlineMs);
  try {
    const opened = await openEtcd3(address, credentials, deadlineMs, relay);
    return memberClient(target, opened, relay, deadlineMs);
  } catch (error) {
    await relay.close();
    throw new MemberError(target, 'open', causeOf(error));
  }
}

/**
 * Host name sent to servers that are addressed by IP. TLS allows no address there, Node 26 refuses one, and grpc-js
 * knows no "none". No certificate has this name, so if our own identity check were ever left out, nothing would pass.
 */
const nameOfNobody = 'etcd.kbin.invalid';

interface OpenClient {
  readonly client: Etcd3;
  close(): void;
}

async function openEtcd3(
  address: Address,
  credentials: EtcdCredentials,
  deadlineMs: number,
  relay: Relay,
): Promise<OpenClient> {
  const [{ Etcd3 }, grpc, { noop }] = await Promise.all([
    import('etcd3'),
    import('@grpc/grpc-js'),
    import('cockatiel'),
  ]);
  const channelCredentials =
    address.scheme === 'http'
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createFromSecureContext(secureContext(credentials), {
          // grpc-js would check the name given below; the certificate has to be good for the address that was dialled.
          checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
            checkServerIdentity(address.host, certificate),
        });
  let channel: InstanceType<typeof grpc.Channel> | undefined;
  const client = new Etcd3({
    hosts: `unix:${relay.path}`,
    faultHandling: { global: noop, host: () => noop },
    defaultCallOptions: (call) => (call.isStream ? {} : { deadline: Date.now() + deadlineMs }),
    grpcOptions: {
      'grpc.ssl_target_name_override': isIP(address.host) === 0 ? address.host : nameOfNobody,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.service_config_disable_resolution': 1,
      // etcd3 opens a connection per service and only knows grpc's own identity check; one channel with ours serves all.
      channelFactoryOverride: (to: string, _: unknown, options: object) => {
        if (
          channel === undefined ||
          channel.getConnectivityState(false) === grpc.connectivityState.SHUTDOWN
        ) {
          channel = new grpc.Channel(to, channelCredentials, options);
        }
        return channel;
      },
    },
  });
  return {
    client,
    close: () => {
      // First: etcd3 waits a second for a channel that is still connecting.
      channel?.close();
      client.close();
    },
  };
}

function secureContext(credentials: EtcdCredentials) {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
  });
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

function toStatus(raw: Awaited<ReturnType<Etcd3['maintenance']['status']>>): LiveStatus {
  return {
    memberId: toHex(raw.header.member_id),
    clusterId: toHex(raw.header.cluster_id),
    version: raw.version,
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

function toMember(raw: IMember): LiveMember {
  return {
    id: toHex(raw.ID),
    name: raw.name,
    peerUrls: raw.peerURLs,
    clientUrls: raw.clientURLs,
    isLearner: raw.isLearner,
  };
}

function toHex(decimal: string): string {
  return BigInt(decimal).toString(16);
}

function toDecimal(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}
