import type { Cluster } from '../cluster/cluster.ts';
import { type FormerReading, filesOf, formersOn } from '../diff/former.ts';
import { readKeyFiles } from '../observe/key-files.ts';
import type { Survey } from './survey.ts';
import { onAll } from './work.ts';

/** What the files of somebody else's control plane say, of every host that has one. */
export function readFormers(
  { paths, ssh }: Cluster,
  { answered }: Survey,
): Promise<readonly FormerReading[]> {
  const places = answered.map(({ clusterHost: { name }, host, observed }) => ({
    name,
    host,
    request: filesOf(formersOn(observed, paths.units)),
  }));
  const asked = places.filter(({ request: { keys, encryption } }) => keys.length + encryption.length > 0);
  return onAll(ssh, asked, async ({ name, host, request }) => ({
    host: name,
    files: await readKeyFiles(host, request),
  }));
}
