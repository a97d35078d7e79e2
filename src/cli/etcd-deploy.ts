import { hostname, userInfo } from 'node:os';
import { deployEtcd, type EtcdDeployReport } from '../apply/deploy-etcd.ts';
import { resolveBinaries } from '../binaries/resolve.ts';
import { openStore } from '../ca/store.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { isEmpty } from '../diff/changes.ts';
import { exitCode, KbinError } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import { createConnect } from '../remote/connect.ts';
import type { CliContext } from './context.ts';
import type { EtcdDeployOptions } from './etcd.ts';
import { printMembers, printProblems, printVerdict } from './health-tables.ts';
import type { Io } from './io.ts';
import { printJson, printTable } from './output.ts';
import { createProgress } from './progress.ts';

export async function etcdDeploy(context: CliContext, options: EtcdDeployOptions): Promise<void> {
  const { io } = context;
  const cluster = withParallel(await context.cluster(), options.parallel);
  requireMembers(cluster);
  const progress = createProgress(
    io,
    hostsWithRole(cluster, 'etcd').map(({ name }) => name),
  );
  const { version, source } = cluster.etcd;
  const signal = context.interrupt();
  const stopping = () => progress.note('stopping once the step at hand is done; Ctrl-C again stops at once');
  signal.addEventListener('abort', stopping, { once: true });
  const report = await deployEtcd({
    cluster,
    store: await openStore(`${cluster.folder}/pki`),
    connect: createConnect(cluster, {
      acceptNewHostKeys: options.acceptNewHostKeys === true,
      env: io.env,
      warn: progress.note,
      ...(io.interactive ? { askSecret: (question: string) => io.ask(question, { secret: true }) } : {}),
    }),
    binaries: (architecture) =>
      resolveBinaries({ component: 'etcd', version, architecture, source, env: io.env }),
    operator: {
      user: userInfo().username,
      machine: hostname(),
      pid: process.pid,
      command: 'kbin etcd deploy',
    },
    progress,
    allowDowntime: options.allowDowntime === true,
    skipHosts: options.skipHost ?? [],
    within: wholeNumber('--wait', options.wait),
    signal,
    now: Date.now,
  });
  const healthy = isHealthy(report.health.checks);
  if (context.json) printJson(io, { healthy, changed: !isEmpty(report.plan), ...report });
  else printReport(io, cluster, report);
  if (!healthy) context.exit(exitCode.unhealthy);
}

function withParallel(cluster: Cluster, parallel: string | undefined): Cluster {
  if (parallel === undefined) return cluster;
  return { ...cluster, ssh: { ...cluster.ssh, parallel: wholeNumber('--parallel', parallel) } };
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new KbinError(`${option} ${text}: not a whole number above 0`, {
    next: 'see `kbin etcd deploy --help`',
    exit: exitCode.usage,
  });
}

function requireMembers(cluster: Cluster): void {
  if (hostsWithRole(cluster, 'etcd').length > 0) return;
  throw new KbinError(`no host of cluster ${cluster.name} has the role etcd`, {
    next: 'give the role to one, three or five hosts in cluster.yaml',
    exit: exitCode.usage,
  });
}

function printReport(io: Io, cluster: Cluster, { plan, skipped, health }: EtcdDeployReport): void {
  if (isEmpty(plan)) {
    io.out(`nothing to do: ${plan.hosts.map(({ host }) => host).join(', ')} as cluster.yaml wants\n\n`);
  } else {
    printTable(
      io,
      ['host', 'done', 'target', 'why'],
      plan.hosts.flatMap(({ host, changes }) =>
        changes.map(({ action, target, reason }) => [host, action, target, reason]),
      ),
    );
    io.out('\n');
  }
  if (skipped.length > 0) io.out(`left out: ${skipped.join(', ')}\n\n`);
  printMembers(io, health.members);
  io.out('\n');
  printProblems(io, health.checks);
  printVerdict(io, health.checks, `etcd of cluster ${cluster.name}`);
}
