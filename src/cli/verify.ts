import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plan } from '../diff/changes.ts';
import { exitCode, KbinError } from '../errors.ts';
import { etcdHealth } from '../health/etcd.ts';
import { toJUnit } from '../verify/junit.ts';
import { type Report, report } from '../verify/report.ts';
import type { CliContext, Register } from './context.ts';
import { addHealthFlags, type HealthFlags, type HealthSource, healthSource } from './health-source.ts';
import { printChecks, printMembers, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';
import { createProgress } from './progress.ts';

interface VerifyFlags extends HealthFlags {
  readonly junit?: string;
  /** --no-plan */
  readonly plan: boolean;
  readonly acceptNewHostKeys?: boolean;
}

export const register: Register = (program, context) => {
  addHealthFlags(program.command('verify'))
    .summary('is this cluster what it should be?')
    .description(
      'Proves that a cluster is what it should be: for one that kbin deployed, nothing differs from cluster.yaml on any ' +
        'host; for any, its etcd is healthy: every member answers, all agree on one leader and one membership, a key is ' +
        'written, read back through every member and deleted, no alarm is raised, and the certificates that are served ' +
        'are the right ones and last. Nothing but that one key is changed.\n\n' +
        'An etcd that kbin did not deploy is given by --endpoints, --cacert, --cert and --key, or by the external: ' +
        'section of cluster.yaml.\n\nExit code 3 when something is not as it should be.',
    )
    .option('--junit <file>', 'write the result as JUnit XML too, for CI')
    .option('--no-plan', 'ask etcd alone, and do not compare the hosts with cluster.yaml')
    .option('--accept-new-host-keys', 'add the SSH keys of hosts that known_hosts does not know yet')
    .action((flags: VerifyFlags) => verify(context, flags));
};

async function verify(context: CliContext, flags: VerifyFlags): Promise<void> {
  const source = await healthSource(context, flags, flags);
  try {
    const began = new Date();
    // Together: both mostly wait for the hosts.
    const [etcd, plan] = await Promise.all([
      etcdHealth(source.targets, source.credentials, source.options),
      flags.plan && source.own !== undefined ? planOf(context, source.own) : undefined,
    ]);
    const found = report({
      subject: source.subject,
      began,
      ended: new Date(),
      etcd,
      ...(plan === undefined ? {} : { plan }),
    });
    if (flags.junit !== undefined) await writeJUnit(resolve(context.io.cwd, flags.junit), found);
    if (context.json) printJson(context.io, found);
    else print(context, found);
    if (!found.healthy) context.exit(exitCode.unhealthy);
  } finally {
    await source.close();
  }
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

function print({ io }: CliContext, { members, sections, subject }: Report): void {
  const checks = sections.flatMap((section) => section.checks);
  printMembers(io, members);
  io.out('\n');
  printChecks(io, checks);
  io.out('\n');
  printProblems(io, checks);
  printVerdict(io, checks, subject);
}

async function writeJUnit(file: string, found: Report): Promise<void> {
  try {
    await writeFile(file, toJUnit(found));
  } catch (error) {
    throw new KbinError(`cannot write ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      next: 'check that the folder exists and that you may write to it',
      cause: error,
    });
  }
}
