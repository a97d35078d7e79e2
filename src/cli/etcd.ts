import { commandGroup, type Register } from './context.ts';
import { addDeployOptions, type DeployOptions } from './deploy-options.ts';

/** `kbin etcd deploy`; status and health are in etcd-status.ts. */
export const register: Register = (program, context) => {
  const command = commandGroup(program, 'etcd')
    .description(
      'Deploys etcd, the store of Kubernetes, to the hosts with the role etcd, and looks after its health.',
    )
    .command('deploy')
    .summary('bring every etcd member to what cluster.yaml says')
    .description(
      'Looks at all etcd hosts, works out what differs from cluster.yaml, and changes just that. A new cluster is ' +
        'started on all hosts at once and proven healthy. On a running cluster members that are down are repaired ' +
        'first; what needs a restart goes one member at a time, the leader last, each proven healthy before the ' +
        'next, so that the cluster serves throughout. What etcd reads by itself (its own certificates) restarts ' +
        'nothing. A host that is new in cluster.yaml joins the running cluster as a learner and gets its vote once ' +
        'it has caught up; one that is gone from cluster.yaml is left alone.\n\n' +
        'A run can be cut off at any moment: the next one carries on. With nothing to do it changes nothing.',
    );
  addDeployOptions(command, {
    allowDowntime: 'restart members even when quorum is lost meanwhile (clusters of one or two)',
    skipHost: 'leave these hosts out; membership then stays as it is',
    wait: 'how long a member may take to become healthy',
  }).action(async (options: DeployOptions) => {
    if (options.dryRun === true) await (await import('./plan-hosts.ts')).planHosts(context, options);
    else await (await import('./etcd-deploy.ts')).etcdDeploy(context, options);
  });
};
