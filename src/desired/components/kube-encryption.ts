import { type Cluster, encryptionProviders } from '../../cluster/cluster.ts';
import type { Part } from '../desired.ts';
import type { StoreView } from '../store-view.ts';

/** How one apiserver reads and writes: the first provider writes, all of them read. */
type Provider =
  | { readonly kind: 'identity' }
  | {
      readonly kind: (typeof encryptionProviders)[number];
      readonly key: ReturnType<StoreView['encryptionKeys']>[number];
    };

/**
 * What was ever written can be read, whatever `kubernetes.encryption` says now: every key of the store with every
 * provider, and plain text. The order decides what is written. So apiservers that are told to write in another way, one
 * after the other, can read each other's Secrets all the while.
 */
function providers(cluster: Cluster, store: StoreView): readonly Provider[] {
  const keys = store.encryptionKeys();
  const chosen = cluster.kubernetes.encryption?.provider;
  const kinds = [...new Set([...(chosen === undefined ? [] : [chosen]), ...encryptionProviders])];
  const encrypting = kinds.flatMap((kind) => keys.map((key) => ({ kind, key })));
  return chosen === undefined ? [{ kind: 'identity' }, ...encrypting] : [...encrypting, { kind: 'identity' }];
}

/** Whether there is an encryption configuration at all. Without a key nothing was ever encrypted. */
export function isEncryptionConfigured(store: StoreView): boolean {
  return store.encryptionKeys().length > 0;
}

/** The providers in their order, `secretbox:key1:SHA256` (hex, of the key's file) and `identity`: what may be shown of them. */
export function encryptionFingerprints(cluster: Cluster, store: StoreView): readonly string[] {
  if (!isEncryptionConfigured(store)) return [];
  return providers(cluster, store).map((provider) =>
    provider.kind === 'identity'
      ? 'identity'
      : `${provider.kind}:${provider.key.name}:${provider.key.sha256}`,
  );
}

/**
 * Text of encryption-keys.txt, which src/diff reads: the resources, a line for each provider, and which keys are retired,
 * so that one that a host still has can be told from one that was lost.
 */
export function encryptionNote(cluster: Cluster, store: StoreView): string {
  const retired = store.retiredEncryptionKeys().map(({ name, sha256 }) => `${name}:${sha256}`);
  const lines = [
    `resources: ${resourcesOf(cluster).join(',')}`,
    ...encryptionFingerprints(cluster, store),
    ...(retired.length === 0 ? [] : [`retired: ${retired.join(',')}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function resourcesOf({ kubernetes: { encryption } }: Cluster): readonly string[] {
  return encryption?.resources ?? ['secrets'];
}

/** https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/ */
export function encryptionParts(cluster: Cluster, store: StoreView): readonly Part[] {
  const resources = resourcesOf(cluster);
  return [
    `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources:
${resources.map((resource) => `      - ${JSON.stringify(resource)}\n`).join('')}    providers:
`,
    ...byProvider(providers(cluster, store)),
  ];
}

/** Keys of the same provider that follow one another stand in one list. */
function byProvider(all: readonly Provider[]): Part[] {
  return all.flatMap((provider, index): Part[] => {
    if (provider.kind === 'identity') return ['      - identity: {}\n'];
    const { name, ref, sha256 } = provider.key;
    const opening =
      all[index - 1]?.kind === provider.kind ? '' : `      - ${provider.kind}:\n          keys:\n`;
    const secret = { ref, sha256, as: 'line' } as const;
    return [`${opening}            - name: ${JSON.stringify(name)}\n              secret: `, secret, '\n'];
  });
}
