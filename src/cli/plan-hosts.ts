import { openStore } from '../ca/store.ts';
import { isComplete, isEmpty, type Plan } from '../diff/changes.ts';
import { exitCode } from '../errors.ts';
import { createConnect } from '../remote/connect.ts';
import { shareConnections } from '../remote/share.ts';
import type { CliContext } from './context.ts';
import { livePlan } from './live-plan.ts';
import { printJson } from './output.ts';
import type { PlanOptions } from './plan.ts';
import { printPlan } from './plan-report.ts';
import { createProgress } from './progress.ts';

export async function planHosts(context: CliContext, options: PlanOptions): Promise<void> {
  const { io } = context;
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`);
  const progress = createProgress(
    io,
    cluster.hosts.map(({ name }) => name),
  );
  const shared = shareConnections(
    createConnect(cluster, {
      acceptNewHostKeys: options.acceptNewHostKeys === true,
      env: io.env,
      warn: progress.note,
      ...(io.interactive ? { askSecret: (question: string) => io.ask(question, { secret: true }) } : {}),
    }),
  );
  try {
    const { plan, membership } = await livePlan({
      cluster,
      store,
      connect: shared.connect,
      takeOver: options.takeOver === true,
      onStep: progress.step,
    });
    progress.end();
    const complete = isComplete(plan);
    const members = membership.members.map(({ host, action, reason }) => ({ host, action, reason }));
    if (context.json) printJson(io, { complete, empty: complete && isEmpty(plan), ...plan, members });
    else printPlan(io, plan, options);
    if (!complete) context.exit(exitCode.failed);
    else if (options.exitCode === true && (!isEmpty(plan) || hasStop(plan))) context.exit(exitCode.unhealthy);
  } finally {
    progress.end();
    await shared.close();
  }
}

/** Nothing differs on the hosts, and yet something is wrong that a deploy would not go past. */
function hasStop({ findings }: Plan): boolean {
  return findings.some(({ severity }) => severity === 'stop');
}
