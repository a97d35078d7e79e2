import { kubeCauseOf } from './api-causes.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import type { Cause } from './causes.ts';

/** Which service-account keys an apiserver works with, by the `kid` that Kubernetes gives a key. */
export interface TokenKeys {
  /** undefined: it does not publish them (an issuer that is no https URL). */
  readonly verifies?: readonly string[];
  /** Of a token that it has just signed. */
  readonly signs?: string;
  readonly failure?: Cause;
}

interface KeySet {
  readonly keys?: readonly { readonly kid?: string }[];
}

/**
 * Asks one apiserver for its public keys, and for a token of a service account that every cluster has, which lives ten
 * minutes and is not used. Nothing of it is stored. Never rejects.
 */
export async function readTokenKeys(client: ApiClient): Promise<TokenKeys> {
  try {
    const verifies = await publishedKeys(client);
    const { status } = await client.send<{ status?: { token?: string } }>({
      method: 'POST',
      path: '/api/v1/namespaces/kube-system/serviceaccounts/default/token',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        // The shortest that Kubernetes gives.
        spec: { expirationSeconds: 600 },
      },
    });
    const signs = keyIdIn(status?.token ?? '');
    return {
      ...(verifies === undefined ? {} : { verifies }),
      ...(signs === undefined ? {} : { signs }),
    };
  } catch (error) {
    return { failure: kubeCauseOf(error, 'kube-apiserver') };
  }
}

async function publishedKeys(client: ApiClient): Promise<readonly string[] | undefined> {
  try {
    const { keys = [] } = await client.getJson<KeySet>('/openid/v1/jwks');
    return keys.flatMap(({ kid }) => kid ?? []);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** `kid` in the header of a JSON web token; undefined where it has none, or is no such token. */
export function keyIdIn(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
    const kid = typeof header === 'object' && header !== null && 'kid' in header ? header.kid : undefined;
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}
