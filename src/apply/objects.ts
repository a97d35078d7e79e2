import type { Cluster } from '../cluster/cluster.ts';
import { desiredObjects } from '../desired/objects.ts';
import type { Change } from '../diff/changes.ts';
import { type ApiClient, openApi } from '../health/api-client.ts';
import { type ApiReading, readApiservers } from '../health/api-gates.ts';
import type { ApiCredentials } from '../health/api-target.ts';
import { applyObject, compareObjects } from '../health/objects.ts';
import type { ControlPlaneRun } from './control-plane-run.ts';
import { checkpoint, type Work } from './work.ts';

/** What differs among the objects that kbin keeps in Kubernetes; nothing where no apiserver could be asked. */
export async function objectChanges(
  cluster: Cluster,
  credentials: ApiCredentials,
  readings: readonly ApiReading[],
): Promise<readonly Change[]> {
  const ready = readings.find((reading) => reading.ready === true);
  if (ready === undefined) return [];
  const client = openApi(ready.target, credentials);
  try {
    return await compareObjects(client, desiredObjects(cluster));
  } catch {
    // One that stops just now: looked at again once all apiservers are proven.
    return [];
  } finally {
    client.close();
  }
}

/** Makes them what they should be, through any apiserver that is ready, and returns what that took. */
export async function applyObjects(run: ControlPlaneRun, work: Work): Promise<readonly Change[]> {
  const ready = (await readApiservers(run.apiservers, run.credentials)).find((one) => one.ready === true);
  if (ready === undefined) return [];
  const client = openApi(ready.target, run.credentials);
  try {
    const wanted = desiredObjects(run.deployment.cluster);
    const changes = await Promise.all(wanted.map((object) => compareObjects(client, [object])));
    for (const [index, object] of wanted.entries()) {
      if (changes[index]?.length !== 0) await apply(client, work, object);
    }
    return changes.flat();
  } finally {
    client.close();
  }
}

async function apply(
  client: ApiClient,
  work: Work,
  object: Parameters<typeof applyObject>[1],
): Promise<void> {
  const { kind, metadata } = object;
  checkpoint(work, `before ${kind} ${metadata.name} is written`);
  work.progress.step(client.target.name, `writing ${kind} ${metadata.name}`);
  await applyObject(client, object);
}
