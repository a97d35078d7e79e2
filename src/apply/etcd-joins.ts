import type { MembershipDecision } from '../diff/etcd-membership.ts';
import { readMembers } from '../health/live.ts';
import type { PlannedMember } from './etcd-plan.ts';
import { type EtcdRun, memberOf, planOf, rolloutOf } from './etcd-run.ts';
import { addLearner, startAndPromote } from './join.ts';
import { act, forget } from './operations.ts';
import { refuseFindings } from './refusals.ts';
import { stage } from './stage.ts';
import { type Surveyed, surveyAgain } from './survey.ts';
import { checkpoint } from './work.ts';

/**
 * Hosts that become members of the running cluster, one at a time: each changes the member list that the next one's
 * etcd.conf is made from. What waited for a quorum shows now. `touched` are the hosts that were changed since the run
 * looked at them.
 *
 * @returns the names of those that joined
 */
export async function joinNewMembers(first: EtcdRun, touched: readonly string[]): Promise<string[]> {
  const joined: string[] = [];
  let run = await lookAgain(first, touched);
  for (;;) {
    const { deployment, targets, credentials } = run;
    const { members, plan, membership } = planOf(run, await readMembers(targets, credentials));
    const joining = members.filter(({ decision }) => decision.action === 'join');
    // etcd takes one learner at a time: one that a former run left in the list has to go through first.
    const next = joining.find(({ decision }) => decision.added === true) ?? joining[0];
    if (next === undefined) return joined;
    refuseFindings(deployment.progress, plan.findings);
    const { host } = next.decision;
    checkpoint(deployment, `before ${host} joins the cluster`);
    await join(run, next, membership);
    joined.push(host);
    run = await lookAgain(run, [host]);
  }
}

async function join(run: EtcdRun, planned: PlannedMember, membership: MembershipDecision): Promise<void> {
  const { decision } = planned;
  const rollout = rolloutOf(run, membership.live?.clusterId);
  const member = { ...memberOf(run, planned, membership), isLearner: decision.joining.kind === 'existing' };
  await stage(rollout, [member]);
  if (decision.added !== true) await addLearner(rollout, member.target);
  const { state } = member.task.component;
  if (decision.staleMarker === true && state !== undefined) {
    await act(member.host, 'forget the former member', [forget(state.marker)]);
  }
  await startAndPromote(rollout, member);
}

async function lookAgain(run: EtcdRun, names: readonly string[]): Promise<EtcdRun> {
  const { deployment, store, binaries } = run;
  const answered = await Promise.all(
    run.survey.answered.map((surveyed): Promise<Surveyed> | Surveyed => {
      const { clusterHost } = surveyed;
      if (!names.includes(clusterHost.name)) return surveyed;
      const own = binaries.get(clusterHost.architecture);
      const inputs = { store, only: ['etcd'], ...(own === undefined ? {} : { binaries: own }) };
      return surveyAgain(deployment.cluster, surveyed, inputs, deployment.now);
    }),
  );
  return { ...run, survey: { ...run.survey, answered } };
}
