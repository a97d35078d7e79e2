import { X509Certificate } from 'node:crypto';
import { type ApiClient, ApiError } from './api-client.ts';

/** A bundle of CAs that Kubernetes hands to those inside the cluster. */
export interface PublishedBundle {
  /** `ConfigMap default/kube-root-ca.crt`. */
  readonly name: string;
  /** PEM; empty where the object has none yet. */
  readonly pem: string;
}

/** Objects that one page of a list may hold. */
const pageSize = 500;

/**
 * What Kubernetes publishes of a CA: the ConfigMap that each Pod finds the apiserver's CA in (kube-controller-manager
 * writes one into every namespace), the same in Secrets with tokens that never expire, and the one that extension
 * apiservers verify their callers with. Rejects with an ApiError.
 */
export async function publishedBundles(
  client: ApiClient,
  authority: string,
): Promise<readonly PublishedBundle[]> {
  const extension = await extensionBundle(client, authority);
  if (authority !== 'kubernetes-ca') return extension;
  const [roots, tokens] = await Promise.all([
    list(client, '/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt'),
    list(client, '/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token'),
  ]);
  const named = (kind: string, { metadata }: Item) => `${kind} ${metadata.namespace}/${metadata.name}`;
  return [
    ...roots.map((item) => ({ name: named('ConfigMap', item), pem: item.data?.['ca.crt'] ?? '' })),
    ...tokens.map((item) => ({
      name: named('Secret', item),
      pem: Buffer.from(item.data?.['ca.crt'] ?? '', 'base64').toString('utf8'),
    })),
    ...extension,
  ];
}

interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

interface Page {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly Item[];
}

async function list(client: ApiClient, path: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  let next: string | undefined;
  do {
    const more: string = next === undefined ? '' : `&continue=${encodeURIComponent(next)}`;
    const page: Page = await client.getJson<Page>(`${path}&limit=${pageSize}${more}`);
    items.push(...page.items);
    next = page.metadata.continue || undefined;
  } while (next !== undefined);
  return items;
}

const extensionPath = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const extensionName = 'ConfigMap kube-system/extension-apiserver-authentication';

function extensionKey(authority: string): string | undefined {
  if (authority === 'kubernetes-ca') return 'client-ca-file';
  return authority === 'front-proxy-ca' ? 'requestheader-client-ca-file' : undefined;
}

async function extensionBundle(client: ApiClient, authority: string): Promise<PublishedBundle[]> {
  const key = extensionKey(authority);
  if (key === undefined) return [];
  try {
    const { data } = await client.getJson<Item>(extensionPath);
    return [{ name: extensionName, pem: data?.[key] ?? '' }];
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [{ name: extensionName, pem: '' }];
    throw error;
  }
}

/**
 * Takes retired CAs out of the ConfigMap that extension apiservers read. Every apiserver adds its CAs to it and none ever
 * takes one away before it has expired: a CA that was dropped everywhere else would be believed there for years.
 */
export async function dropFromExtensions(
  client: ApiClient,
  authority: string,
  retired: readonly string[],
): Promise<boolean> {
  const key = extensionKey(authority);
  const [found] = await extensionBundle(client, authority);
  if (key === undefined || found === undefined) return false;
  const kept = certificatesOf(found.pem).filter((certificate) => !holds(retired.join('\n'), certificate));
  if (kept.length === certificatesOf(found.pem).length || kept.length === 0) return false;
  await client.send({
    method: 'PATCH',
    path: extensionPath,
    contentType: 'application/merge-patch+json',
    body: { data: { [key]: kept.map(String).join('') } },
  });
  return true;
}

/** Whether a certificate is among those of a bundle, whatever their text looks like. */
export function holds(bundle: string, certificate: string | X509Certificate): boolean {
  const wanted = new X509Certificate(String(certificate)).fingerprint256;
  return certificatesOf(bundle).some(({ fingerprint256 }) => fingerprint256 === wanted);
}

/** Those that can be read. */
function certificatesOf(pem: string): readonly X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return texts.flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return [];
    }
  });
}
