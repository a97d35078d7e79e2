import { composedContent } from '../compose.ts';
import type { Account, Content, DesiredFile, Effect } from '../desired.ts';
import { textContent } from '../digest.ts';
import { keyOf, pemOf, trustedPem } from '../from-store.ts';
import { apiserverUrl, kubeconfigParts } from '../kubeconfig.ts';
import type { Placed } from './kube-setting.ts';

/** Files of a component's bundle: they are its account's, secrets 0600. */
export function bundleFiles({ store }: Placed, account: Account) {
  const ownership = { owner: account.user, group: account.group };
  const file = (path: string, mode: number, content: Content, effect: Effect): DesiredFile => ({
    path,
    mode,
    ...ownership,
    content,
    effect,
  });
  const certificate = (path: string, id: string, effect: Effect) =>
    file(path, 0o644, textContent(pemOf(store, id)), effect);
  const key = (path: string, id: string, effect: Effect) =>
    file(path, 0o600, { kind: 'secret', ...keyOf(store, id) }, effect);
  return {
    /** Of a CA, for those who verify with it. */
    trusted: (path: string, authority: string, effect: Effect) =>
      file(path, 0o644, textContent(trustedPem(store, authority)), effect),
    key,
    leaf: (name: string, id: string, effect: Effect) => [
      certificate(`${name}.crt`, id, effect),
      key(`${name}.key`, id, effect),
    ],
    text: (path: string, text: string, effect: Effect) => file(path, 0o644, textContent(text), effect),
    secret: (path: string, content: Content, effect: Effect) => file(path, 0o600, content, effect),
  };
}

/** A kubeconfig of one of kbin's own clients, to the apiserver of this host. */
export function ownKubeconfig({ cluster, host, store }: Placed, user: string, id: string): Content {
  return composedContent(
    store,
    kubeconfigParts({
      clusterName: cluster.name,
      server: apiserverUrl(cluster, host),
      ca: trustedPem(store, 'kubernetes-ca'),
      user,
      certificate: pemOf(store, id),
      key: { ...keyOf(store, id), as: 'base64' },
    }),
  );
}
