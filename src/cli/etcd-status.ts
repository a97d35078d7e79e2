import { exitCode } from '../errors.ts';
import { type EtcdHealth, isHealthy } from '../health/check.ts';
import { etcdHealth } from '../health/etcd.ts';
import { type CliContext, commandGroup, type Register } from './context.ts';
import { addHealthFlags, type HealthFlags, healthSource } from './health-source.ts';
import { printChecks, printMembers, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

/** `kbin etcd status` and `kbin etcd health`: the same look, shown by member or by check. */
export const register: Register = (program, context) => {
  const group = commandGroup(program, 'etcd');
  addHealthFlags(group.command('status'))
    .summary('what each etcd member says of itself')
    .description(
      'Asks every etcd member for its role, version, raft term and index, database size and quota, alarms, latency, ' +
        'and how many days the certificate that it serves is still valid. What is wrong stands below the table, with ' +
        'what to do about it. Exit code 3 when something is.',
    )
    .action((flags: HealthFlags) =>
      look(context, flags, ({ members, checks }, subject) => {
        printMembers(context.io, members);
        context.io.out('\n');
        printProblems(context.io, checks);
        printVerdict(context.io, checks, subject);
      }),
    );
  addHealthFlags(group.command('health'))
    .summary('whether etcd is healthy, check by check')
    .description(
      'Checks that every member answers, that all agree on one leader and one membership, that this membership is what ' +
        'cluster.yaml says, that a key can be written, read back through every member and deleted, that no alarm is ' +
        'raised, and that the certificates served are the right ones and last. Nothing but that one key is changed. ' +
        'Exit code 3 when a check fails.',
    )
    .action((flags: HealthFlags) =>
      look(context, flags, ({ checks }, subject) => {
        printChecks(context.io, checks);
        context.io.out('\n');
        printProblems(context.io, checks);
        printVerdict(context.io, checks, subject);
      }),
    );
};

async function look(
  context: CliContext,
  flags: HealthFlags,
  print: (health: EtcdHealth, subject: string) => void,
): Promise<void> {
  const source = await healthSource(context, flags);
  try {
    const health = await etcdHealth(source.targets, source.credentials, source.options);
    if (context.json) printJson(context.io, { healthy: isHealthy(health.checks), ...health });
    else print(health, source.subject);
    if (!isHealthy(health.checks)) context.exit(exitCode.unhealthy);
  } finally {
    await source.close();
  }
}
