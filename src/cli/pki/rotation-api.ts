import { KbinError } from '../../errors.ts';
import { type ApiClient, openApi } from '../../health/api-client.ts';
import { readApiserver } from '../../health/api-gates.ts';
import { apiCredentials, apiTargets } from '../../health/api-target.ts';
import type { RotationRun } from './rotations.ts';

/** Milliseconds for one call: lists of a large cluster take their time. */
const deadlineMs = 30_000;

/** As the administrator, one client for every apiserver of cluster.yaml, whether it answers or not. */
export async function withApiservers<T>(
  { cluster, store, connect }: Pick<RotationRun, 'cluster' | 'store' | 'connect'>,
  work: (clients: readonly ApiClient[]) => Promise<T>,
): Promise<T> {
  const credentials = await apiCredentials(store);
  const clients = apiTargets(cluster, connect).map((target) => openApi(target, credentials, deadlineMs));
  try {
    return await work(clients);
  } finally {
    for (const client of clients) client.close();
  }
}

/** Of those that are ready; throws a KbinError where none is. */
export async function withReadyApiservers<T>(
  run: Pick<RotationRun, 'cluster' | 'store' | 'connect'>,
  work: (clients: readonly [ApiClient, ...ApiClient[]]) => Promise<T>,
): Promise<T> {
  const credentials = await apiCredentials(run.store);
  return withApiservers(run, async (clients) => {
    const ready = await Promise.all(
      clients.map(async (client) => (await readApiserver(client.target, credentials)).ready === true),
    );
    const [first, ...others] = clients.filter((_, index) => ready[index] === true);
    if (first === undefined) {
      throw new KbinError('no apiserver is ready', {
        step: 'ask Kubernetes',
        next: 'see what `kbin control-plane status` says',
      });
    }
    return work([first, ...others]);
  });
}
