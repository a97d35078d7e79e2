import { X509Certificate } from 'node:crypto';
import type { DesiredBundle } from '../desired/desired.ts';
import { KbinError } from '../errors.ts';
import { causeOf } from '../health/causes.ts';
import { waitForMember } from '../health/gates.ts';
import type { MemberReading } from '../health/live.ts';
import { parseEndpoint } from '../health/target.ts';
import { probeWire } from '../health/wire.ts';
import { commitAndProve } from './gate.ts';
import { refuseUnwelcomePeer } from './peers.ts';
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
  if (task.plan.disruption === 'none') {
    // First, since with a certificate that nobody takes it would be waited for in vain.
    await proveCertificates(rollout, member);
    return wait();
  }
  const reading = await whileAlive([{ host, unit: task.component.unit.name, began }], wait);
  await proveCertificates(rollout, member);
  return reading;
}

async function proveCertificates(rollout: Rollout, member: Member): Promise<void> {
  for (const bundle of member.task.component.bundles) await proveServed(rollout, member, bundle);
  await refuseUnwelcomePeer(rollout, member);
}

/**
 * What etcd reads by itself is only proven by what it serves: on the client port and on the peer port, and to one who
 * verifies it as clients and the other members do.
 */
async function proveServed(rollout: Rollout, member: Member, bundle: DesiredBundle): Promise<void> {
  const { target } = member;
  const ports = [
    { file: 'server.crt', url: target.endpoint },
    { file: 'peer.crt', url: target.expected?.peerUrls[0] },
  ];
  for (const { file, url } of ports) {
    const content = bundle.files.find(({ path }) => path === file)?.content;
    if (content?.kind !== 'text' || url === undefined) continue;
    const wanted = new X509Certificate(content.text).fingerprint256;
    const why = await whyNotServed(rollout, target, url, wanted);
    if (why === undefined) continue;
    throw new KbinError(`etcd on ${member.name} does not serve its new certificate`, {
      host: member.name,
      step: `compare ${file} with what ${url} serves`,
      why,
      next: 'Look in the journal of etcd on the host for why it cannot use its certificate or key.',
    });
  }
}

/** Milliseconds for one look at a port. */
const lookDeadlineMs = 10_000;

/** A clause; undefined when it serves the certificate with that fingerprint, and a client takes it. */
async function whyNotServed(
  { credentials }: Rollout,
  { dial }: Member['target'],
  url: string,
  wanted: string,
): Promise<string | undefined> {
  const options = { deadlineMs: lookDeadlineMs, ...(dial === undefined ? {} : { dial }) };
  try {
    const { chain, refusal } = await probeWire(parseEndpoint(url), credentials, options);
    const found = chain[0]?.fingerprint;
    if (found !== wanted) return `it serves ${found ?? 'no certificate'}, wanted ${wanted}`;
    return refusal === undefined ? undefined : `clients refuse it: it ${refusal.message}`;
  } catch (error) {
    return `it ${causeOf(error, { deadlineMs: lookDeadlineMs }).message}`;
  }
}
