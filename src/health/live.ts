import { type Cause, causeOf } from './causes.ts';
import { type LiveMember, type LiveStatus, type MemberClient, openMember } from './etcd-client.ts';
import type { EtcdCredentials, EtcdTarget } from './target.ts';

/** What one member answered, or why it did not. */
export interface MemberReading {
  readonly target: EtcdTarget;
  readonly status?: LiveStatus;
  /** The membership as this member knows it. */
  readonly members?: readonly LiveMember[];
  /** A linearizable read through it succeeded: it has a quorum behind it. */
  readonly quorum: boolean;
  /** Milliseconds of one status call over the open connection. */
  readonly latencyMs?: number;
  /** Why it could not be asked at all. */
  readonly failure?: Cause;
  /** Why it was asked through SSH although cluster.yaml does not say so, in a clause. */
  readonly detour?: string;
  /** Why the linearizable read failed, where the member itself answers. */
  readonly noQuorum?: Cause;
}

/** Asks every member at once. Never rejects; takes at most about three times the deadline of a call, for each endpoint. */
export function readMembers(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  deadlineMs?: number,
): Promise<MemberReading[]> {
  return Promise.all(targets.map((target) => readMember(target, credentials, deadlineMs)));
}

/** The answer's `target` has the endpoint that answered: the present one, else the former. */
export async function readMember(
  target: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs?: number,
): Promise<MemberReading> {
  const { former } = target;
  const reading = await readEndpoint(target, credentials, deadlineMs);
  if (former === undefined || reading.status !== undefined) return reading;
  const atFormer = await readEndpoint({ ...target, endpoint: former }, credentials, deadlineMs);
  return atFormer.status === undefined ? reading : atFormer;
}

async function readEndpoint(
  target: EtcdTarget,
  credentials: EtcdCredentials,
  deadlineMs?: number,
): Promise<MemberReading> {
  try {
    const client = await openMember(target, credentials, deadlineMs);
    try {
      await client.status();
      const { status, latencyMs } = await quickest(client);
      const [members, noQuorum] = await Promise.all([
        // A learner answers nothing but status and serializable reads.
        status.isLearner ? undefined : client.members(),
        client.get(quorumProbeKey, 'linearizable').then(() => undefined, noQuorumCause),
      ]);
      const detour = target.detour?.(target.endpoint);
      return {
        target,
        status,
        ...(detour === undefined ? {} : { detour }),
        ...(members === undefined ? {} : { members }),
        latencyMs,
        quorum: noQuorum === undefined || provesQuorum(noQuorum),
        ...(noQuorum === undefined ? {} : { noQuorum }),
      };
    } finally {
      await client.close();
    }
  } catch (error) {
    return { target, quorum: false, failure: causeOf(error) };
  }
}

/**
 * Asks those again of whom more is known by now: where their processes serve (`former`), or that SSH, through which they
 * are asked where nothing else works, is connected. And those that did not answer: one look at a busy machine is no reason
 * to restart anything, and one that was starting then may run by the time its host was looked at. The same array when there
 * is nobody.
 */
export async function readAgain(
  readings: readonly MemberReading[],
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
): Promise<readonly MemberReading[]> {
  const worthwhile = ({ name, former }: EtcdTarget) =>
    former !== undefined ||
    readings.some(({ target, failure }) => target.name === name && again.includes(failure?.code));
  if (!targets.some(worthwhile)) return readings;
  return Promise.all(
    targets.map(async (target) => {
      const reading = readings.find((one) => one.target.name === target.name);
      return reading === undefined || worthwhile(target) ? readMember(target, credentials) : reading;
    }),
  );
}

const again: readonly (string | undefined)[] = ['out-of-reach', 'no-answer', 'refused', 'connection-lost'];

/** The better of two, since kbin itself is busy while it asks everybody at once. */
async function quickest(client: MemberClient): Promise<{ status: LiveStatus; latencyMs: number }> {
  let latencyMs = Number.POSITIVE_INFINITY;
  for (let look = 1; ; look++) {
    const began = performance.now();
    const status = await client.status();
    latencyMs = Math.min(latencyMs, performance.now() - began);
    if (look === 2) return { status, latencyMs };
  }
}

/** Never written; reading it goes through the leader all the same. */
const quorumProbeKey = '/kbin/canary/quorum';

/** The member itself has just answered, so silence here is that of the others. */
function noQuorumCause(error: unknown): Cause {
  const cause = causeOf(error);
  return cause.code === 'no-answer' ? causeOf('no leader: a linearizable read got no answer in time') : cause;
}

/** etcd checks permissions only after the linearizable part of a read, so this refusal proves quorum too. */
function provesQuorum(cause: Cause): boolean {
  return cause.code === 'permission-denied' || cause.code === 'auth-enabled';
}
