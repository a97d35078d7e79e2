import { parseAllDocuments } from 'yaml';
import type { FoundEncryption } from '../ca/adopt-encryption.ts';
import type { SourceText } from '../ca/found.ts';

export interface Adoptable {
  readonly texts: readonly Omit<SourceText, 'mode'>[];
  readonly encryption?: FoundEncryption;
  /** Other files that it names, as they stand there. */
  readonly files: readonly string[];
}

/** Cheap, before anything is parsed. */
export const isKubeconfig = (text: string): boolean => /^\s*"?kind"?\s*:\s*"?Config\b/m.test(text);

/** Kubeconfigs and EncryptionConfigurations, YAML or JSON. What is neither, or cannot be read, has nothing in it. */
export function readAdoptable(place: string, text: string): Adoptable {
  const found = documentsOf(text).flatMap((value) => {
    const { kind } = record(value);
    if (kind === 'Config') return [ofKubeconfig(place, value)];
    return kind === 'EncryptionConfiguration' || kind === 'EncryptionConfig'
      ? [ofEncryption(place, value)]
      : [];
  });
  const encryption = found.find((each) => each.encryption !== undefined)?.encryption;
  return {
    texts: found.flatMap(({ texts }) => texts),
    files: found.flatMap(({ files }) => files),
    ...(encryption === undefined ? {} : { encryption }),
  };
}

function documentsOf(text: string): unknown[] {
  try {
    return parseAllDocuments(text).flatMap((document) =>
      document.errors.length === 0 ? [document.toJS()] : [],
    );
  } catch {
    return [];
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const fields = {
  clusters: { part: 'cluster', names: ['certificate-authority'] },
  users: { part: 'user', names: ['client-certificate', 'client-key'] },
} as const;

function ofKubeconfig(place: string, value: unknown): Adoptable {
  const texts: Omit<SourceText, 'mode'>[] = [];
  const files: string[] = [];
  for (const [section, { part, names }] of Object.entries(fields)) {
    for (const entry of list(record(value)[section])) {
      const named = record(record(entry)[part]);
      for (const name of names) {
        const data = named[`${name}-data`];
        const file = named[name];
        if (typeof data === 'string') {
          texts.push({ place: `${place} (${name}-data)`, pem: Buffer.from(data, 'base64').toString('utf8') });
        } else if (typeof file === 'string') files.push(file);
      }
    }
  }
  return { texts, files };
}

/** What is said of Secrets; other resources may be encrypted otherwise. */
function ofEncryption(place: string, value: unknown): Adoptable {
  const resources = list(record(value).resources);
  const ofSecrets = resources.find((entry) =>
    list(record(entry).resources).some((name) => name === 'secrets' || name === '*.' || name === '*.*'),
  );
  const providers = list(record(ofSecrets).providers).flatMap((provider) =>
    Object.entries(record(provider)).map(([kind, settings]) => ({
      kind,
      keys: list(record(settings).keys).map((key) => ({
        name: String(record(key).name ?? ''),
        secret: String(record(key).secret ?? ''),
      })),
    })),
  );
  return { texts: [], files: [], encryption: { place, providers } };
}
