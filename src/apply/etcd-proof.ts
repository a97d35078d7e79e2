import { X509Certificate } from 'node:crypto';
import type { DesiredBundle } from '../desired/desired.ts';
import { KbinError } from '../errors.ts';
import { waitForMember } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import { parseEndpoint } from '../health/target.ts';
import { probeWire } from '../health/wire.ts';
import { bundlesToStage } from './commit.ts';
import { commitAndProve } from './gate.ts';
import { type Member, ownPart, type Rollout } from './rollout.ts';
import { whileAlive } from './unit.ts';

export function commitMember(rollout: Rollout, member: Member): Promise<MemberReading> {
  return commitAndProve(rollout, member, (one, began) => proveMember(rollout, one, began));
}

/**
 * Waits until the member is healthy, watching its unit when it was just started: it answers, belongs to the same cluster,
 * has caught up, reads linearizably, and serves the certificates it was given.
 */
export async function proveMember(rollout: Rollout, member: Member, began: number): Promise<MemberReading> {
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
