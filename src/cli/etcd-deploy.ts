import { deployEtcd, type EtcdDeployReport } from '../apply/deploy-etcd.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { isEmpty } from '../diff/changes.ts';
import { exitCode, KbinError } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import type { CliContext } from './context.ts';
import { deployKinds } from './deploy-kinds.ts';
import type { DeployOptions } from './deploy-options.ts';
import { type Deployed, deploymentOf, printDone } from './deploy-run.ts';
import { printMembers, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

export async function etcdDeploy(context: CliContext, options: DeployOptions): Promise<void> {
  const report = await runEtcdDeploy(context, options);
  if (context.json) printJson(context.io, report);
  else await printEtcdDeploy(context, report);
  if (!report.healthy) context.exit(exitCode.unhealthy);
}

/** Carries the deploy out and prints nothing but progress. */
export async function runEtcdDeploy(
  context: CliContext,
  options: DeployOptions,
): Promise<Deployed<EtcdDeployReport>> {
  requireMembers(await context.cluster());
  const deployment = await deploymentOf(context, options, deployKinds.etcd);
  const report = await deployEtcd(deployment);
  return { healthy: isHealthy(report.health.checks), changed: !isEmpty(report.plan), ...report };
}

export async function printEtcdDeploy(context: CliContext, report: EtcdDeployReport): Promise<void> {
  const { io } = context;
  const { health } = report;
  printDone(io, report);
  printMembers(io, health.members);
  io.out('\n');
  printProblems(io, health.checks);
  printVerdict(io, health.checks, `etcd of cluster ${(await context.cluster()).name}`);
}

function requireMembers(cluster: Cluster): void {
  if (hostsWithRole(cluster, 'etcd').length > 0) return;
  throw new KbinError(`no host of cluster ${cluster.name} has the role etcd`, {
    next: 'give the role to one, three or five hosts in cluster.yaml',
    exit: exitCode.usage,
  });
}
