import { nameText } from '../ca/names.ts';
import { revokedBy } from '../ca/revocation.ts';
import { diskFiles } from '../ca/store-files.ts';
import { type Cluster, controlPlaneComponents, hostsWithRole } from '../cluster/cluster.ts';
import { certificatePlan } from '../desired/certificates.ts';
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

/**
 * The deploys that bring these certificates and keys (ids of the plan) to hosts, in their order: etcd first, but for where
 * its list of what is revoked names the apiservers' own client.
 */
export function deploysOf(cluster: Cluster, ids: readonly string[]): readonly DeployName[] {
  const order = ['etcd', 'control-plane'] as const;
  const names = order.filter((name) => isConcerned(cluster, name, ids));
  return names.includes('etcd') && apiserversFirst(cluster) ? ['control-plane', 'etcd'] : names;
}

/** A client of the apiservers was revoked: with its successor they have to come before etcd has the list. */
export function apiserversFirst(cluster: Cluster): boolean {
  const leaf = certificatePlan(cluster)
    .authorities.flatMap(({ leaves }) => leaves)
    .find(({ id }) => id === 'apiserver-etcd-client');
  if (leaf === undefined || hostsWithRole(cluster, 'control-plane').length === 0) return false;
  // One that is not in the store any more is on the record by its subject.
  const names = [leaf.id, nameText(leaf.subject)];
  return revokedBy(diskFiles(`${cluster.folder}/pki`), 'etcd-ca').some(({ name }) => names.includes(name));
}

function isConcerned(cluster: Cluster, name: DeployName, ids: readonly string[]): boolean {
  const components = { etcd: ['etcd'], 'control-plane': controlPlaneComponents } as const;
  return hostsWithRole(cluster, name).some((host) =>
    componentsOf(cluster, host)
      .filter((component) => components[name].some((one) => one === component.name))
      .some((component) => component.needs(cluster, host).some(({ id }) => ids.includes(id))),
  );
}
