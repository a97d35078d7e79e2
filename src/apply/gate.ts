import { X509Certificate } from 'node:crypto';
import type { DesiredBundle } from '../desired/desired.ts';
import { KbinError } from '../errors.ts';
import { waitForMember } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import { parseEndpoint } from '../health/target.ts';
import { probeWire } from '../health/wire.ts';
import { bundlesToStage, commitment, filesToStage, type Task, withdrawal } from './commit.ts';
import { act } from './operations.ts';
import { type Member, ownPart, type Rollout } from './rollout.ts';
import { whileAlive } from './unit.ts';

/**
 * Puts a member's changes in force and proves that it is healthy with them: it answers, belongs to the same cluster,
 * has caught up, reads linearizably, and serves the certificates it was given. A member that was up before and is not
 * afterwards gets its former files back; either way a failure ends the rollout.
 */
export async function commitAndProve(rollout: Rollout, member: Member): Promise<MemberReading> {
  const { host, name, task } = member;
  const words = { none: 'changing', start: 'starting', restart: 'restarting' };
  rollout.progress.step(name, words[task.plan.disruption]);
  try {
    const began = await act(host, 'commit', commitment(task));
    return await prove(rollout, member, began);
  } catch (error) {
    if (task.plan.disruption === 'start' || !hasFormerFiles(task)) throw error;
    throw await withdraw(rollout, member, error);
  }
}

function hasFormerFiles(task: Task): boolean {
  return filesToStage(task).length + bundlesToStage(task).length > 0;
}

/** Waits until the member is healthy, watching its unit when it was just started. */
export async function prove(rollout: Rollout, member: Member, began: number): Promise<MemberReading> {
  const { host, name, target, task } = member;
  const others = rollout.targets.filter((other) => other.name !== name);
  const wait = (signal?: AbortSignal) =>
    waitForMember(
      target,
      rollout.credentials,
      {
        others,
        role: member.isLearner ? 'learner' : 'voter',
        ...(rollout.clusterId === undefined ? {} : { clusterId: rollout.clusterId }),
      },
      {
        within: rollout.within,
        onLast: (seen) => rollout.progress.step(name, ownPart(name, seen) ?? seen),
        ...(signal === undefined ? {} : { signal }),
      },
    );
  const reading =
    task.plan.disruption === 'none'
      ? await wait()
      : await whileAlive([{ host, unit: task.component.unit.name, began }], wait);
  for (const bundle of bundlesToStage(task)) await proveServed(rollout, member, bundle);
  return reading;
}

/** What etcd reads by itself is only proven by what it serves: on the client port and on the peer port. */
async function proveServed(rollout: Rollout, { name, target }: Member, bundle: DesiredBundle): Promise<void> {
  const ports = [
    { file: 'server.crt', url: target.endpoint },
    { file: 'peer.crt', url: target.expected?.peerUrls[0] },
  ];
  for (const { file, url } of ports) {
    const content = bundle.files.find(({ path }) => path === file)?.content;
    if (content?.kind !== 'text' || url === undefined) continue;
    const wanted = new X509Certificate(content.text).fingerprint256;
    const dial = target.dial === undefined ? {} : { dial: target.dial };
    const served = await probeWire(parseEndpoint(url), rollout.credentials, { deadlineMs: 10_000, ...dial });
    if (served.chain[0]?.fingerprint === wanted) continue;
    throw new KbinError(`etcd on ${name} does not serve its new certificate`, {
      host: name,
      step: `compare ${file} with what ${url} serves`,
      why: `it serves ${served.chain[0]?.fingerprint ?? 'no certificate'}, wanted ${wanted}`,
      next: 'Look in the journal of etcd on the host for why it cannot read its certificate or key.',
    });
  }
}

/** How that went, in a clause. */
async function bringBack(rollout: Rollout, member: Member): Promise<string> {
  const { host, task } = member;
  const former = { ...member, task: { ...task, plan: { ...task.plan, changes: [] } } };
  let began: number | undefined;
  try {
    began = await act(host, 'bring back', withdrawal(task));
    await prove(rollout, former, began);
    return 'its former files are back and it is healthy with them; no other host was changed after it';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return began === undefined
      ? `its former files could not be brought back (${reason})`
      : `its former files are back, but it is not healthy with them either (${reason})`;
  }
}

async function withdraw(rollout: Rollout, member: Member, error: unknown): Promise<unknown> {
  const { name } = member;
  rollout.progress.fail(name, 'not healthy: bringing its former files back');
  const outcome = await bringBack(rollout, member);
  rollout.progress.fail(name, outcome);
  if (!(error instanceof KbinError)) return error;
  const { why, next, ...details } = error.details;
  return new KbinError(error.message, {
    ...details,
    host: name,
    why: [why, outcome].filter((part) => part !== undefined).join('; '),
    next: next ?? 'Correct what the journal names and run kbin again.',
    cause: error,
  });
}
