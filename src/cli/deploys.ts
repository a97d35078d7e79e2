import { type Cluster, controlPlaneComponents, hostsWithRole } from '../cluster/cluster.ts';
import { componentsOf } from '../desired/desire.ts';
import type { CliContext } from './context.ts';
import { printControlPlaneDeploy, runControlPlaneDeploy } from './control-plane-deploy.ts';
import type { DeployName } from './deploy-kinds.ts';
import type { DeployOptions } from './deploy-options.ts';
import { printEtcdDeploy, runEtcdDeploy } from './etcd-deploy.ts';

/** What a deploy did, and how to print it. */
export interface DeployRun {
  readonly name: DeployName;
  /** For --json. */
  readonly report: { readonly healthy: boolean; readonly changed: boolean };
  readonly print: () => Promise<void>;
}

/** `kbin etcd deploy` or `kbin control-plane deploy`, as a part of another command: nothing is printed but progress. */
export async function runDeploy(
  context: CliContext,
  name: DeployName,
  options: DeployOptions,
): Promise<DeployRun> {
  if (name === 'etcd') {
    const report = await runEtcdDeploy(context, options);
    return { name, report, print: () => printEtcdDeploy(context, report) };
  }
  const report = await runControlPlaneDeploy(context, options);
  return { name, report, print: () => printControlPlaneDeploy(context, report) };
}

/** The deploys that bring these certificates and keys (ids of the plan) to hosts, in their order. */
export function deploysOf(cluster: Cluster, ids: readonly string[]): readonly DeployName[] {
  const components = { etcd: ['etcd'], 'control-plane': controlPlaneComponents } as const;
  return (['etcd', 'control-plane'] as const).filter((name) =>
    hostsWithRole(cluster, name).some((host) =>
      componentsOf(cluster, host)
        .filter((component) => components[name].some((one) => one === component.name))
        .some((component) => component.needs(cluster, host).some(({ id }) => ids.includes(id))),
    ),
  );
}
