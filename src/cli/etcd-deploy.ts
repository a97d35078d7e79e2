import { deployEtcd } from '../apply/deploy-etcd.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { isEmpty } from '../diff/changes.ts';
import { exitCode, KbinError } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import type { CliContext } from './context.ts';
import type { DeployOptions } from './deploy-options.ts';
import { deploymentOf, printDone } from './deploy-run.ts';
import { printMembers, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

export async function etcdDeploy(context: CliContext, options: DeployOptions): Promise<void> {
  const { io } = context;
  requireMembers(await context.cluster());
  const deployment = await deploymentOf(context, options, {
    command: 'kbin etcd deploy',
    role: 'etcd',
    component: 'etcd',
    version: ({ etcd }) => etcd.version,
  });
  const report = await deployEtcd(deployment);
  const { plan, health } = report;
  const healthy = isHealthy(health.checks);
  if (context.json) printJson(io, { healthy, changed: !isEmpty(plan), ...report });
  else {
    printDone(io, report);
    printMembers(io, health.members);
    io.out('\n');
    printProblems(io, health.checks);
    printVerdict(io, health.checks, `etcd of cluster ${deployment.cluster.name}`);
  }
  if (!healthy) context.exit(exitCode.unhealthy);
}

function requireMembers(cluster: Cluster): void {
  if (hostsWithRole(cluster, 'etcd').length > 0) return;
  throw new KbinError(`no host of cluster ${cluster.name} has the role etcd`, {
    next: 'give the role to one, three or five hosts in cluster.yaml',
    exit: exitCode.usage,
  });
}
