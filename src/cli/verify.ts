import { hostsWithRole } from '../cluster/cluster.ts';
import { desiredObjects } from '../desired/objects.ts';
import type { Plan } from '../diff/changes.ts';
import { exitCode } from '../errors.ts';
import type { ControlPlaneHealth } from '../health/check.ts';
import { controlPlaneHealth } from '../health/control-plane.ts';
import { etcdHealth } from '../health/etcd.ts';
import { defaultDeadlineMs } from '../health/etcd-client.ts';
import { neverDeployed } from '../health/undeployed.ts';
import { hasNothingOf } from '../verify/only-creates.ts';
import { type Report, report } from '../verify/report.ts';
import type { CliContext, Register } from './context.ts';
import { addHealthFlags, type HealthFlags, type HealthSource, healthSource } from './health-source.ts';
import {
  printChecks,
  printControlPlane,
  printMembers,
  printProblems,
  printVerdict,
} from './health-tables.ts';
import { junitWriter } from './junit-file.ts';
import { printJson } from './output.ts';
import { createProgress } from './progress.ts';

interface VerifyFlags extends HealthFlags {
  readonly junit?: string;
  /** --no-plan */
  readonly plan: boolean;
}

export const register: Register = (program, context) => {
  addHealthFlags(program.command('verify'))
    .summary('is this cluster what it should be?')
    .description(
      'Proves that a cluster is what it should be: for one that kbin deployed, nothing differs from cluster.yaml on any ' +
        'host; for any, its etcd is healthy: every member answers, all agree on one leader and one membership, a key is ' +
        'written, read back through every member and deleted, no alarm is raised, and the certificates that are served ' +
        'are the right ones and last. Where cluster.yaml wants a control plane, its health too: every apiserver is ' +
        'ready, controller-manager and scheduler are healthy and one of each leads, a Secret and a token made through ' +
        'one apiserver are good at the others, and Secrets are encrypted in etcd. Nothing is changed but that key and ' +
        'those objects, which are deleted again.\n\n' +
        'An etcd that kbin did not deploy is given by --endpoints, --cacert, --cert and --key, or by the external: ' +
        'section of cluster.yaml.\n\nExit code 3 when something is not as it should be.',
    )
    .option('--junit <file>', 'write the result as JUnit XML too, for CI')
    .option('--no-plan', 'look at health alone, and do not compare the hosts with cluster.yaml')
    .action((flags: VerifyFlags) => verify(context, flags));
};

async function verify(context: CliContext, flags: VerifyFlags): Promise<void> {
  const junit = junitWriter(context.io, flags.junit);
  const source = await healthSource(context, flags);
  try {
    const began = new Date();
    // Together: all mostly wait for the hosts.
    const [etcd, plan, health] = await Promise.all([
      etcdHealth(source.targets, source.credentials, source.options),
      flags.plan && source.own !== undefined ? planOf(context, source.own) : undefined,
      controlPlaneOf(source),
    ]);
    const controlPlane = health && (await isToCome(source, health, plan)) ? 'not-deployed' : health;
    const found = report({
      subject: source.own === undefined ? source.subject : `cluster ${source.own.cluster.name}`,
      began,
      ended: new Date(),
      etcd,
      ...(plan === undefined ? {} : { plan }),
      ...(controlPlane === undefined ? {} : { controlPlane }),
    });
    junit?.({ ...found, title: `kbin verify: ${found.subject}` });
    if (context.json) printJson(context.io, found);
    else print(context, found);
    if (!found.healthy) context.exit(exitCode.unhealthy);
  } finally {
    await source.close();
  }
}

/** undefined where cluster.yaml wants no control plane. */
async function controlPlaneOf({ own, options }: HealthSource): Promise<ControlPlaneHealth | undefined> {
  if (own === undefined || own.cluster.kubernetes.version === undefined) return undefined;
  if (hostsWithRole(own.cluster, 'control-plane').length === 0) return undefined;
  return controlPlaneHealth({ ...own, objects: desiredObjects(own.cluster) }, options);
}

/** Wanted, and never deployed: nothing listens, nothing is on the hosts, nothing is in etcd. */
async function isToCome(
  { own, targets, credentials, options }: HealthSource,
  health: ControlPlaneHealth,
  plan: Plan | undefined,
): Promise<boolean> {
  if (own === undefined) return false;
  const hosts = hostsWithRole(own.cluster, 'control-plane').map(({ name }) => name);
  if (plan !== undefined && !hasNothingOf(plan, hosts)) return false;
  return neverDeployed(health, own.cluster, targets, credentials, options.deadlineMs ?? defaultDeadlineMs);
}

async function planOf({ io }: CliContext, own: NonNullable<HealthSource['own']>): Promise<Plan> {
  const { livePlan } = await import('./live-plan.ts');
  const progress = createProgress(
    io,
    own.cluster.hosts.map(({ name }) => name),
  );
  try {
    return (await livePlan({ ...own, onStep: progress.step })).plan;
  } finally {
    progress.end();
  }
}

function print({ io }: CliContext, { members, controlPlane, sections, subject }: Report): void {
  const checks = sections.flatMap((section) => section.checks);
  printMembers(io, members);
  io.out('\n');
  if (controlPlane.length > 0) {
    printControlPlane(io, controlPlane);
    io.out('\n');
  }
  printChecks(io, checks);
  io.out('\n');
  printProblems(io, checks);
  printVerdict(io, checks, subject);
}
