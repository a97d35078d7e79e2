import type { Cluster } from '../cluster/cluster.ts';
import { findClusterFile } from '../cluster/find.ts';
import { loadClusterWithWarnings } from '../cluster/load.ts';
import type { CliContext } from './context.ts';
import { printWarning } from './output.ts';

/** cluster.yaml as the command line means it; what it warns of is said once, on stderr. */
export async function readCluster(context: CliContext): Promise<Cluster> {
  const file = findClusterFile(context.config, context.io);
  const { cluster, warnings } = await loadClusterWithWarnings(file);
  for (const warning of warnings) printWarning(context.io, warning);
  return cluster;
}
