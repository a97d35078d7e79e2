import { type EncryptionSettings, encryptionProviders } from '../cluster/cluster.ts';
import { isRingKeyName, keyMistake } from './key-ring.ts';

/** An EncryptionConfiguration of kube-apiserver. */
export interface FoundEncryption {
  readonly place: string;
  readonly entries: readonly EncryptionEntry[];
  /** Why it cannot be read, where it cannot: there may be keys in it. */
  readonly unread?: string;
}

/** What it says of some resources. */
export interface EncryptionEntry {
  /** `secrets`, `deployments.apps`, `*.*`. */
  readonly resources: readonly string[];
  /** In their order: the first one writes, all of them read. `identity`, which is plain text, and `kms` have no keys. */
  readonly providers: readonly { readonly kind: string; readonly keys: readonly EncryptionKey[] }[];
}

export interface EncryptionKey {
  readonly name: string;
  /** Base64. */
  readonly secret: string;
}

/** Those of Secrets first: the first one of all is what kbin encrypts with. */
export function keysOf({ entries }: FoundEncryption): readonly (EncryptionKey & { readonly kind: string })[] {
  const ordered = entries.toSorted((a, b) => Number(coversSecrets(b)) - Number(coversSecrets(a)));
  const keys = ordered.flatMap(({ providers }) =>
    providers.flatMap(({ kind, keys: own }) => own.map((key) => ({ ...key, kind }))),
  );
  return [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
}

const coversSecrets = ({ resources }: EncryptionEntry): boolean =>
  resources.some((name) => ['secrets', '*.', '*.*'].includes(name));

export const isKeyed = (kind: string): boolean => encryptionProviders.some((known) => known === kind);

/** Plain text is what is written. */
export const isPlain = ({ providers }: EncryptionEntry): boolean => providers[0]?.kind === 'identity';

/** Why the key ring of the store cannot hold all that what lies in etcd is read with; undefined where it can. */
export function unkeepable(
  { place, entries }: FoundEncryption,
  keys: ReturnType<typeof keysOf>,
  settings: EncryptionSettings | undefined,
): { readonly message: string; readonly next: string } | undefined {
  for (const { resources, providers } of entries) {
    const other = providers.find(({ kind }) => kind !== 'identity' && !isKeyed(kind));
    if (other === undefined) continue;
    return {
      message: `${place} encrypts ${resources.join(', ')} with ${other.kind}, which kbin cannot take over: what lies in etcd could not be read`,
      next: `rewrite them there with a key of ${encryptionProviders.join(', ')} or in plain text, and drop ${other.kind}`,
    };
  }
  const named = keys.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  const kinds = [...new Set(keys.map(({ kind }) => kind))];
  const [kind] = kinds;
  if (kind === undefined) return undefined;
  if (kinds.length > 1) {
    return {
      message: `${place} has keys of ${kinds.join(' and ')} (${named}): kbin keeps those of one kind`,
      next: `rewrite what is encrypted so that only ${kind} is needed, and drop the others there`,
    };
  }
  const names = keys.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    return {
      message: `${place} has two keys "${twice}": kbin keeps one of a name`,
      next: 'rotate one of them there to another name',
    };
  }
  const isAllPlain = entries.every(isPlain);
  const wanted = settings?.provider ?? 'off';
  if (kind !== wanted && !(settings === undefined && isAllPlain)) {
    return {
      message: `${place} encrypts with ${kind}, cluster.yaml says ${wanted}: what lies in etcd could not be read`,
      next: `say so in cluster.yaml: kubernetes: { encryption: { provider: ${kind} } }`,
    };
  }
  const covered = settings?.resources ?? ['secrets'];
  const encrypted = entries.filter(({ providers }) => providers.some(({ keys: own }) => own.length > 0));
  const uncovered = encrypted.flatMap(({ resources }) => resources.filter((name) => !covered.includes(name)));
  if (uncovered.some((name) => name.includes('*'))) {
    return {
      message: `${place} encrypts ${uncovered.join(', ')}: cluster.yaml has no word for that`,
      next: 'name each resource there that is to be encrypted, rewrite the others in plain text, and say the same in cluster.yaml',
    };
  }
  if (uncovered.length > 0) {
    return {
      message: `${place} encrypts ${uncovered.join(', ')}, cluster.yaml only ${covered.join(', ')}: what lies in etcd of the others could not be read`,
      next: `say so in cluster.yaml: kubernetes: { encryption: { provider: ${kind}, resources: [${[...covered, ...uncovered].join(', ')}] } }`,
    };
  }
  const odd = keys.find(
    ({ name, secret }) => !isRingKeyName(name) || keyMistake(Buffer.from(secret)) !== undefined,
  );
  if (odd === undefined) return undefined;
  const why = isRingKeyName(odd.name) ? 'is not 32 bytes as base64' : 'has a name that is no file name';
  return {
    message: `the key "${odd.name}" in ${place} ${why}`,
    next: 'rotate it there to one that kbin can keep: letters, digits, . _ - in its name, 32 bytes',
  };
}
