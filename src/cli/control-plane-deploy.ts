import { deployControlPlane } from '../apply/deploy-control-plane.ts';
import { isEmpty } from '../diff/changes.ts';
import { exitCode } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import type { CliContext } from './context.ts';
import type { DeployOptions } from './deploy-options.ts';
import { deploymentOf, printDone } from './deploy-run.ts';
import { printControlPlane, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

export async function controlPlaneDeploy(context: CliContext, options: DeployOptions): Promise<void> {
  const { io } = context;
  const deployment = await deploymentOf(context, options, {
    command: 'kbin control-plane deploy',
    role: 'control-plane',
    component: 'kubernetes',
    version: ({ kubernetes }) => kubernetes.version ?? '',
  });
  const report = await deployControlPlane(deployment);
  const { plan, health } = report;
  const healthy = isHealthy(health.checks);
  if (context.json) printJson(io, { healthy, changed: !isEmpty(plan), ...report });
  else {
    printDone(io, report);
    printControlPlane(io, health.hosts);
    io.out('\n');
    printProblems(io, health.checks);
    printVerdict(io, health.checks, `control plane of cluster ${deployment.cluster.name}`);
  }
  if (!healthy) context.exit(exitCode.unhealthy);
}
