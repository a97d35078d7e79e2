import { requireControlPlane } from '../cluster/required.ts';
import { desiredObjects } from '../desired/objects.ts';
import { exitCode } from '../errors.ts';
import { isHealthy } from '../health/check.ts';
import { controlPlaneHealth } from '../health/control-plane.ts';
import { type CliContext, commandGroup, type Register } from './context.ts';
import { addLookFlags, type HealthFlags, lookOptions, ownCluster } from './health-source.ts';
import { printControlPlane, printProblems, printVerdict } from './health-tables.ts';
import { printJson } from './output.ts';

type StatusFlags = Pick<HealthFlags, 'timeout' | 'acceptNewHostKeys'>;

/** `kbin control-plane status`; deploy is in control-plane.ts. */
export const register: Register = (program, context) => {
  addLookFlags(commandGroup(program, 'control-plane').command('status'))
    .summary('how apiservers, controller-managers and schedulers are')
    .description(
      'Asks every apiserver whether it is live and ready, every controller-manager and scheduler for its health ' +
        '(through SSH: they listen on their own host alone), and who leads. A Secret and a service-account token are ' +
        'made through each apiserver, tried at every other, looked up in etcd, and deleted. What is wrong stands below ' +
        'the table, with what to do about it. Exit code 3 when something is.',
    )
    .action((flags: StatusFlags) => status(context, flags));
};

async function status(context: CliContext, flags: StatusFlags): Promise<void> {
  const { io } = context;
  const options = lookOptions(context, flags);
  requireControlPlane(await context.cluster());
  const { cluster, store, connect, close } = await ownCluster(context, flags);
  try {
    const objects = desiredObjects(cluster);
    const { hosts, checks } = await controlPlaneHealth({ cluster, store, connect, objects }, options);
    if (context.json) printJson(io, { healthy: isHealthy(checks), hosts, checks });
    else {
      printControlPlane(io, hosts);
      io.out('\n');
      printProblems(io, checks);
      printVerdict(io, checks, `control plane of cluster ${cluster.name}`);
    }
    if (!isHealthy(checks)) context.exit(exitCode.unhealthy);
  } finally {
    await close();
  }
}
