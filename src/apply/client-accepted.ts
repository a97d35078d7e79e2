import { KbinError } from '../errors.ts';
import { openApi } from '../health/api-client.ts';
import { clientCredentials } from '../health/client-credentials.ts';
import type { ListeningComponent } from '../health/component-target.ts';
import { bundlesToStage } from './commit.ts';
import { type ControlPlaneRun, targetOf } from './control-plane-run.ts';
import type { Workplace } from './work.ts';

/** Ids of what they show to the apiserver of their host. */
const clients: Readonly<Record<ListeningComponent, string>> = {
  'kube-controller-manager': 'controller-manager',
  'kube-scheduler': 'scheduler',
};

/**
 * Before a component gets new certificates: whether the apiserver of its host lets it in with the one it is to show. By
 * its own /healthz nobody could tell: one that waits to lead is healthy there though it may not even ask for the lease.
 */
export async function refuseUnacceptedClient(
  { apiservers, deployment }: ControlPlaneRun,
  component: ListeningComponent,
  places: readonly Workplace[],
): Promise<void> {
  const changing = places.filter(({ task }) => bundlesToStage(task).length > 0);
  if (changing.length === 0) return;
  const client = clients[component];
  const toAsk = 'the apiservers';
  const credentials = await clientCredentials(deployment.store, {
    authority: 'kubernetes-ca',
    client,
    toAsk,
  });
  for (const { name } of changing) {
    const api = openApi(targetOf(apiservers, name), credentials);
    try {
      const { status } = await api.get('/api');
      if (status !== 401) continue;
    } finally {
      api.close();
    }
    throw new KbinError(`the apiserver on ${name} does not let ${component} in with its new certificate`, {
      host: name,
      step: `show the certificate ${client} of the store to the apiserver`,
      why: 'it answers 401; no component was given it, and nothing was restarted for it',
      next: `See \`kbin pki list\` for what is wrong with it, or issue it anew: kbin pki renew ${client}`,
    });
  }
}
