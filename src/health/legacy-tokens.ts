import { type ApiClient, ApiError } from './api-client.ts';
import { pagesOf } from './api-pages.ts';
import { type Patience, poll } from './poll.ts';
import { keyIdIn } from './token-keys.ts';

/** A Secret with a service account's token in it, which never ends. */
export interface LegacyToken {
  readonly namespace: string;
  readonly name: string;
  /** Of the key that signed it; undefined: it does not say (Kubernetes before 1.16), or there is no token yet. */
  readonly kid?: string;
  readonly isEmpty: boolean;
}

interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: { readonly token?: string };
}

const path = '/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token';
const page = 100;

/** All of them, without the tokens themselves. Rejects with an ApiError. */
export async function legacyTokens(client: ApiClient): Promise<readonly LegacyToken[]> {
  const found = new Map<string, LegacyToken>();
  for await (const items of pagesOf<Secret>(client, { path, size: page })) {
    for (const secret of items) {
      const token = tokenIn(secret);
      found.set(`${token.namespace}/${token.name}`, token);
    }
  }
  return [...found.values()];
}

function tokenIn({ metadata: { namespace, name }, data }: Secret): LegacyToken {
  const token = Buffer.from(data?.token ?? '', 'base64').toString('utf8');
  const kid = keyIdIn(token);
  return { namespace, name, isEmpty: token === '', ...(kid === undefined ? {} : { kid }) };
}

/**
 * Has a token signed anew: where the Secret has none, kube-controller-manager's token controller writes one, with the key
 * that it signs with now. From then on the former one is refused, since it is not what the Secret says
 * (pkg/serviceaccount/legacy.go), and so the Secret is left alone where somebody has changed it in between. Waits until
 * it is there. Returns false where the Secret is gone. Rejects with an ApiError, or a KbinError after the time is up.
 */
export async function signAnew(
  client: ApiClient,
  { namespace, name }: LegacyToken,
  kid: string,
  patience: Patience,
): Promise<boolean> {
  const of = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  const what = `kube-controller-manager to sign the token of Secret ${namespace}/${name} with the new key`;
  const next =
    'see what kube-controller-manager says (journalctl -u kube-controller-manager) and whether its service account still exists; then run the command again';
  try {
    await poll(
      what,
      patience,
      async () => {
        const secret = await client.getJson<Secret & { metadata: { resourceVersion: string } }>(of);
        const token = tokenIn(secret);
        if (token.kid === kid) return { done: true };
        if (!token.isEmpty) await empty(client, of, secret.metadata.resourceVersion);
        return { seen: token.isEmpty ? 'it has no token' : 'the former token was taken out' };
      },
      next,
    );
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

async function empty(client: ApiClient, of: string, resourceVersion: string): Promise<void> {
  try {
    await client.send({
      method: 'PATCH',
      path: of,
      contentType: 'application/merge-patch+json',
      body: { metadata: { resourceVersion }, data: { token: null } },
    });
  } catch (error) {
    // Somebody else was faster: it is looked at again.
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
  }
}
