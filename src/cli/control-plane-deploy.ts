import { type ControlPlaneDeployReport, deployControlPlane } from '../apply/deploy-control-plane.ts';
import { isEmpty } from '../diff/changes.ts';
import { exitCode } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import type { CliContext } from './context.ts';
import { deployKinds } from './deploy-kinds.ts';
import type { DeployOptions } from './deploy-options.ts';
import { type Deployed, deploymentOf, printDone } from './deploy-run.ts';
import { printControlPlane, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

export interface ControlPlaneDeployOptions extends DeployOptions {
  readonly takeOver?: boolean;
}

export async function controlPlaneDeploy(
  context: CliContext,
  options: ControlPlaneDeployOptions,
): Promise<void> {
  const report = await runControlPlaneDeploy(context, options);
  if (context.json) printJson(context.io, report);
  else await printControlPlaneDeploy(context, report);
  if (!report.healthy) context.exit(exitCode.unhealthy);
}

/** Carries the deploy out and prints nothing but progress. */
export async function runControlPlaneDeploy(
  context: CliContext,
  options: ControlPlaneDeployOptions,
): Promise<Deployed<ControlPlaneDeployReport>> {
  const deployment = await deploymentOf(context, options, deployKinds['control-plane']);
  const report = await deployControlPlane({ ...deployment, takeOver: options.takeOver === true });
  return { healthy: isHealthy(report.health.checks), changed: !isEmpty(report.plan), ...report };
}

export async function printControlPlaneDeploy(
  context: CliContext,
  report: ControlPlaneDeployReport,
): Promise<void> {
  const { io } = context;
  const { health } = report;
  printDone(io, report);
  printControlPlane(io, health.hosts);
  io.out('\n');
  printProblems(io, health.checks);
  printVerdict(io, health.checks, `control plane of cluster ${(await context.cluster()).name}`);
}
