import type { Cluster } from '../cluster/cluster.ts';
import { findClusterFile } from '../cluster/find.ts';
import { type FurtherRule, loadClusterWithWarnings } from '../cluster/load.ts';
import { error } from '../cluster/mistake.ts';
import { pkiMistakes } from '../desired/certificate-rules.ts';
import { desiredRules } from '../desired/cluster-rules.ts';
import type { CliContext } from './context.ts';
import { printWarning } from './output.ts';

/** cluster.yaml as the command line means it; what it warns of is said once, on stderr. */
export async function readCluster(context: CliContext): Promise<Cluster> {
  const file = findClusterFile(context.config, context.io);
  const { cluster, warnings } = await loadClusterWithWarnings(file, furtherRules);
  for (const text of warnings) printWarning(context.io, text);
  return cluster;
}

/** What only those who make things of a cluster know about it; here, because only here both sides are known. */
const furtherRules: readonly FurtherRule[] = [
  ...desiredRules,

  function* certificates(cluster) {
    for (const mistake of pkiMistakes(cluster)) {
      const [where = '', ...rest] = mistake.split(': ');
      const [section = '', key, ...entry] = where.split('.');
      const path = [section, ...(key ? [key] : []), ...(entry.length > 0 ? [entry.join('.')] : [])];
      yield error(path, rest.join(': '));
    }
  },
];
