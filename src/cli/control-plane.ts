import { commandGroup, type Register } from './context.ts';
import type { ControlPlaneDeployOptions } from './control-plane-deploy.ts';
import { addDeployOptions } from './deploy-options.ts';

/** `kbin control-plane deploy`; status is in control-plane-status.ts. */
export const register: Register = (program, context) => {
  const command = commandGroup(program, 'control-plane')
    .description(
      'Deploys kube-apiserver, kube-controller-manager and kube-scheduler to the hosts with the role control-plane, ' +
        'and tells how they are.',
    )
    .command('deploy')
    .summary('bring every control-plane host to what cluster.yaml says')
    .description(
      'Looks at all control-plane hosts, works out what differs from cluster.yaml, and changes just that. etcd has ' +
        'to be healthy (`kbin etcd deploy`). Apiservers that are down are started first; what needs a restart goes ' +
        'one apiserver at a time, each ready again before the next, and never the only one that is ready. Then come ' +
        'the controller-managers, then the schedulers, each proven healthy, the leader last; then the RBAC objects ' +
        'that Kubernetes needs. What no process reads (kubectl, admin.conf) restarts nothing. A host that is new in ' +
        'cluster.yaml gets its own apiserver; one that is gone from cluster.yaml is left alone. A component that ' +
        'does not come up with its new files gets its former ones back, and the run ends there.\n\n' +
        'Where somebody else has set up a control plane, that stops a deploy. Once its certificates and keys are adopted ' +
        '(`kbin pki adopt`), --take-over replaces its units by kbin’s in the same order, without an outage, and leaves ' +
        'each former unit file beside the new one (.before-kbin). It stops where another etcd, CA, service-account key ' +
        'or encryption key is in use there than pki/ and cluster.yaml have.\n\n' +
        'A run can be cut off at any moment: the next one carries on. With nothing to do it changes nothing.',
    );
  addDeployOptions(command, {
    allowDowntime: 'restart an apiserver even when no other one is ready (one control-plane host)',
    skipHost: 'leave these hosts out',
    wait: 'how long a component may take to become healthy',
  })
    .option('--take-over', 'replace units that kbin did not write, where nothing is lost with them')
    .action(async (options: ControlPlaneDeployOptions) => {
      if (options.dryRun === true) await (await import('./plan-hosts.ts')).planHosts(context, options);
      else await (await import('./control-plane-deploy.ts')).controlPlaneDeploy(context, options);
    });
};
