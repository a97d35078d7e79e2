import { setTimeout as sleep } from 'node:timers/promises';
import type { HostPlan } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import type { Cause } from '../health/causes.ts';
import { canRestart, healthyVoters } from '../health/gates.ts';
import { type MemberReading, readMember } from '../health/live.ts';
import { commitment } from './commit.ts';
import { proveMember } from './etcd-proof.ts';
import { act } from './operations.ts';
import { restartOne } from './rolling.ts';
import { type Member, type Rollout, settle } from './rollout.ts';
import { settleTogether, startTogether } from './start.ts';
import { checkpoint } from './work.ts';

/** Seconds that a member gets to answer after what needs no restart was changed on its host. */
const patience = 15;
/** Milliseconds for one call to a member that is likely not to answer. */
const callDeadlineMs = 3000;

/**
 * Members that systemd calls running and that do not answer. Each may be a voter in good order that only kbin cannot ask,
 * and is handled as one: first comes what needs no restart (a certificate, the owner of a key), and it is asked again;
 * it is restarted only when it still does not answer, and the healthy others alone are a quorum.
 *
 * @returns the names of those that came back without the restart that the plan had for them
 */
export async function wake(rollout: Rollout, members: readonly Member[]): Promise<string[]> {
  const spared: string[] = [];
  const hung: Member[] = [];
  for (const member of members) {
    checkpoint(rollout, `before ${member.name}, which does not answer, is seen to`);
    if (isRestartedAnyway(member)) hung.push(member);
    else if (await answersWithoutRestart(rollout, member)) spared.push(member.name);
    else hung.push(onlyRestart(member));
  }
  for (const [index, member] of hung.entries()) {
    checkpoint(rollout, `before ${member.name}, which does not answer, is restarted`);
    const voters = await healthyVoters(rollout.targets, rollout.credentials);
    if (voters.healthy.length === 0 && rollout.allowDowntime) {
      await restartTogether(rollout, hung.slice(index));
      break;
    }
    refuseUnknown(voters.readings.find(({ target }) => target.name === member.name));
    await restartOne(rollout, member, voters, (why) => cannotWake(member.name, why));
  }
  return spared;
}

/** Before anything is uploaded: throws where a restart is all that can help, and would not be allowed. */
export async function refuseWaking(rollout: Rollout, members: readonly Member[]): Promise<void> {
  const hung = members.filter((member) => isRestartedAnyway(member) || hasNothingElse(member));
  if (hung.length === 0 || rollout.allowDowntime) return;
  const voters = await healthyVoters(rollout.targets, rollout.credentials);
  for (const { name } of hung) {
    const permission = canRestart(voters, name);
    const answers = voters.readings.some(
      ({ target, status }) => target.name === name && status !== undefined,
    );
    if (!permission.allowed && !answers) throw cannotWake(name, permission.why);
  }
}

/** The plan of a host whose restart turned out not to be needed. */
export function withoutRestart({ onlyToWake: _, ...plan }: HostPlan): HostPlan {
  const changes = plan.changes.filter(({ action }) => action !== 'restart');
  return { ...plan, changes, disruption: 'none' };
}

/** Throws where neither a restart nor what differs on the host is of any help. */
async function answersWithoutRestart(rollout: Rollout, member: Member): Promise<boolean> {
  const { name, host, target, task } = member;
  const quiet = { ...member, task: { ...task, plan: withoutRestart(task.plan) } };
  const changes = quiet.task.plan.changes.length > 0;
  if (changes) rollout.progress.step(name, 'changing');
  const began = changes ? await act(host, 'commit', commitment(quiet.task)) : 0;
  const reading = await asked(rollout, target, changes ? patience : 0);
  if (reading.status !== undefined) {
    rollout.progress.step(name, 'answers');
    await settle(rollout, quiet, await proveMember(rollout, quiet, began));
    return true;
  }
  refuseUnknown(reading);
  if (task.plan.disruption === 'none') throw refusesKbin(name, reading.failure);
  return false;
}

/** The first answer, or the last thing that was seen instead. */
async function asked(
  { credentials, progress }: Rollout,
  target: Member['target'],
  within: number,
): Promise<MemberReading> {
  const end = performance.now() + within * 1000;
  for (;;) {
    const reading = await readMember(target, credentials, callDeadlineMs);
    if (reading.status !== undefined || performance.now() > end) return reading;
    progress.step(target.name, reading.failure?.message ?? 'does not answer');
    await sleep(300);
  }
}

/** With nobody healthy, one alone would wait for the others in vain. */
async function restartTogether(rollout: Rollout, members: readonly Member[]): Promise<void> {
  await settleTogether(rollout, members, await startTogether(rollout, members));
}

function isRestartedAnyway({ task: { plan } }: Member): boolean {
  return plan.disruption === 'restart' && plan.onlyToWake !== true;
}

function hasNothingElse({ task: { plan } }: Member): boolean {
  return plan.onlyToWake === true && plan.changes.every(({ action }) => action === 'restart');
}

/** Everything else is in force already. */
function onlyRestart(member: Member): Member {
  const { task } = member;
  const changes = task.plan.changes.filter(({ action }) => action === 'restart');
  return { ...member, task: { ...task, plan: { ...task.plan, changes } } };
}

/** It was silent when the plan was made; now nobody even gets to it, and what is not known is not restarted. */
function refuseUnknown(reading: MemberReading | undefined): void {
  const failure = reading?.failure;
  if (failure?.code !== 'out-of-reach' && failure?.code !== 'ssh') return;
  throw refusesKbin(reading?.target.name ?? '', failure);
}

function refusesKbin(name: string, failure: Cause | undefined): KbinError {
  return new KbinError(`etcd on ${name} runs and cannot be asked`, {
    host: name,
    step: 'ask etcd',
    why: `it ${failure?.message ?? 'does not answer'}; a restart would not help, and it may well have its part in the quorum`,
    next: failure?.next ?? 'See the journal of etcd on the host.',
  });
}

function cannotWake(name: string, why: string): KbinError {
  return new KbinError(
    `${name} runs and does not answer, and cannot be restarted without risk to the quorum`,
    {
      host: name,
      step: 'restart etcd.service',
      why: `it may have its part in the quorum although kbin cannot ask it: ${why}`,
      next: 'Bring the other members up first; or see on the host what etcd does (journalctl -u etcd), and restart it with --allow-downtime.',
    },
  );
}
