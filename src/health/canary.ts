import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from './aborted.ts';
import { type Cause, causeOf } from './causes.ts';
import { type MemberClient, openMember } from './etcd-client.ts';
import type { MemberReading } from './live.ts';
import type { EtcdCredentials } from './target.ts';

/** Everything kbin ever writes into etcd lies below this. */
export const canaryPrefix = '/kbin/canary/';

/** Seconds. The key hangs on a lease, so that it goes away by itself when kbin is killed before it can delete it. */
const leaseSeconds = 30;

export interface CanaryRead {
  readonly name: string;
  /** Milliseconds of the linearizable read; undefined when it failed or was not tried. */
  readonly latencyMs?: number;
  /** Why it could not be read with the cluster's agreement. */
  readonly linearizable?: Cause;
  /** Why it did not show in the member's own data in time. */
  readonly local?: Cause;
}

export interface CanaryResult {
  readonly key: string;
  /** Target through which the write was agreed on. */
  readonly writtenThrough?: string;
  readonly writeMs?: number;
  /** Why nobody could write. */
  readonly failure?: Cause;
  /** Of every member that answered. */
  readonly reads: readonly CanaryRead[];
  /** Why it could not be deleted; its lease still ends it. */
  readonly leftBehind?: Cause;
}

/**
 * Writes a random value, reads it back through every member that answers, and deletes it. Rejects only when `signal` is
 * aborted, and even then the key is deleted first. `readings` say
 * who is worth asking: a write is tried only where a quorum was seen, the leader first.
 */
export async function sendCanary(
  readings: readonly MemberReading[],
  credentials: EtcdCredentials,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<CanaryResult> {
  const key = `${canaryPrefix}${randomBytes(8).toString('hex')}`;
  const value = randomBytes(16).toString('hex');
  const writers = [...readings]
    .filter((reading) => reading.quorum && !reading.status?.isLearner)
    .sort(leaderFirst);
  let failure: Cause | undefined = noWriter(readings);
  for (const writer of writers) {
    const client = await openMember(writer.target, credentials, deadlineMs);
    try {
      const canary = { key, value, readings, credentials, deadlineMs };
      return await roundTrip(client, canary, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      failure = causeOf(error);
    } finally {
      await client.close();
    }
  }
  return { key, reads: [], ...(failure === undefined ? {} : { failure }) };
}

interface Canary {
  readonly key: string;
  readonly value: string;
  readonly readings: readonly MemberReading[];
  readonly credentials: EtcdCredentials;
  readonly deadlineMs: number;
}

async function roundTrip(writer: MemberClient, canary: Canary, signal?: AbortSignal): Promise<CanaryResult> {
  const { key, value } = canary;
  const began = performance.now();
  const lease = await writer.grantLease(leaseSeconds);
  let leftBehind: Cause | undefined;
  let reads: readonly CanaryRead[] = [];
  let writeMs = 0;
  try {
    await writer.put(key, value, lease);
    writeMs = performance.now() - began;
    const answering = canary.readings.filter((reading) => reading.status !== undefined);
    reads = await unlessAborted(Promise.all(answering.map((reading) => readBack(reading, canary))), signal);
  } finally {
    leftBehind = await cleanUp(writer, key, lease);
  }
  return {
    key,
    writtenThrough: writer.target.name,
    writeMs,
    reads,
    ...(leftBehind === undefined ? {} : { leftBehind }),
  };
}

async function readBack(
  { target, status, quorum, noQuorum }: MemberReading,
  { key, value, credentials, deadlineMs }: Canary,
): Promise<CanaryRead> {
  // It has just been asked, and would keep us waiting for as long again.
  if (!quorum && noQuorum !== undefined && status?.isLearner !== true) {
    return { name: target.name, linearizable: noQuorum };
  }
  const client = await openMember(target, credentials, deadlineMs);
  try {
    // Warms the connection up, so that the latency is the read's alone.
    await client.status();
    const began = performance.now();
    const linearizable = status?.isLearner ? undefined : await expect(client, key, value, 'linearizable', 0);
    const latencyMs = performance.now() - began;
    const local = await expect(client, key, value, 'serializable', deadlineMs);
    return {
      name: target.name,
      ...(linearizable === undefined ? { latencyMs } : { linearizable }),
      ...(local === undefined ? {} : { local }),
    };
  } catch (error) {
    return { name: target.name, linearizable: causeOf(error) };
  } finally {
    await client.close();
  }
}

/** Reads until the value is there or `patienceMs` have passed; undefined when it was. */
async function expect(
  client: MemberClient,
  key: string,
  value: string,
  consistency: 'linearizable' | 'serializable',
  patienceMs: number,
): Promise<Cause | undefined> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      const found = await client.get(key, consistency);
      if (found === value) return undefined;
      if (performance.now() >= end) return unseen(consistency, found);
    } catch (error) {
      return causeOf(error);
    }
    await sleep(50);
  }
}

function unseen(consistency: string, found: string | undefined): Cause {
  return {
    code: 'stale',
    message: `does not see the canary key in a ${consistency} read (${found === undefined ? 'no such key' : 'another value'})`,
    next: 'compare cluster ids and raft indices: the member may be cut off, or belong to another cluster',
  };
}

async function cleanUp(writer: MemberClient, key: string, lease: string): Promise<Cause | undefined> {
  try {
    await writer.delete(key);
    await writer.revokeLease(lease);
    return undefined;
  } catch (error) {
    return causeOf(error);
  }
}

function noWriter(readings: readonly MemberReading[]): Cause | undefined {
  const reading = readings.find(({ noQuorum }) => noQuorum !== undefined) ?? readings[0];
  return reading?.noQuorum ?? reading?.failure;
}

function leaderFirst(a: MemberReading, b: MemberReading): number {
  return Number(leads(b)) - Number(leads(a));
}

function leads({ status }: MemberReading): boolean {
  return status !== undefined && status.leaderId === status.memberId;
}
