import { parseAllDocuments } from 'yaml';
import type { SourceText } from '../../ca/found.ts';
import { type EncryptionEntry, type FoundEncryption, isKeyed } from '../../ca/found-encryption.ts';

export interface Adoptable {
  readonly texts: readonly Omit<SourceText, 'mode'>[];
  readonly encryption: readonly FoundEncryption[];
  /** Other files that it names, as they stand there. */
  readonly files: readonly string[];
}

/** Cheap, before anything is parsed. */
export const isKubeconfig = (text: string): boolean => /^\s*"?kind"?\s*:\s*"?Config\b/m.test(text);

/** Likewise. The second is what it was called before Kubernetes 1.13. */
export const mayBeEncryption = (text: string): boolean =>
  /EncryptionConfiguration|EncryptionConfig\b/.test(text);

/** Kubeconfigs and EncryptionConfigurations, YAML or JSON. Other documents, and kubeconfigs that cannot be read, have nothing in them. */
export function readAdoptable(place: string, text: string): Adoptable {
  const { documents, mistake } = documentsOf(text);
  const found = documents.flatMap((value) => {
    const { kind } = record(value);
    if (kind === 'Config') return [ofKubeconfig(place, value)];
    return kind === 'EncryptionConfiguration' || kind === 'EncryptionConfig'
      ? [ofEncryption(place, value)]
      : [];
  });
  const unread = mistake !== undefined && mayBeEncryption(text) ? [unreadable(place, mistake)] : [];
  return {
    texts: found.flatMap(({ texts }) => texts),
    files: found.flatMap(({ files }) => files),
    encryption: [...found.flatMap(({ encryption }) => encryption), ...unread],
  };
}

/** `mistake`: why those that are lacking cannot be read. It quotes nothing of them. */
function documentsOf(text: string): { readonly documents: readonly unknown[]; readonly mistake?: string } {
  try {
    const all = parseAllDocuments(text, { prettyErrors: false });
    const [error] = all.flatMap(({ errors }) => errors);
    const documents = all.flatMap((document) => (document.errors.length === 0 ? [document.toJS()] : []));
    if (error !== undefined) return { documents, mistake: `it is not YAML, ${lineOf(text, error.pos[0])}` };
    const isProse = !documents.some((document) => typeof document === 'object');
    return { documents, ...(isProse ? { mistake: 'it is text' } : {}) };
  } catch {
    return { documents: [], mistake: 'it is not YAML' };
  }
}

const lineOf = (text: string, position: number): string =>
  `line ${text.slice(0, position).split('\n').length}`;

const unreadable = (place: string, unread: string): FoundEncryption => ({ place, entries: [], unread });

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
  return { texts, files, encryption: [] };
}

function ofEncryption(place: string, value: unknown): Adoptable {
  const entries = list(record(value).resources).map((entry) => entryOf(entry));
  const whole = entries.filter((entry) => entry !== undefined);
  const isWhole = whole.length === entries.length && whole.length > 0;
  const mistake = 'it lacks resources, providers, or keys where there must be some';
  return {
    texts: [],
    files: [],
    encryption: [isWhole ? { place, entries: whole } : unreadable(place, mistake)],
  };
}

/** undefined: kube-apiserver does not take it either. */
function entryOf(value: unknown): EncryptionEntry | undefined {
  const resources = list(record(value).resources).map(String);
  const providers = list(record(value).providers).flatMap((provider) =>
    Object.entries(record(provider)).map(([kind, settings]) => ({
      kind,
      keys: list(record(settings).keys).map((key) => ({
        name: String(record(key).name ?? ''),
        secret: String(record(key).secret ?? ''),
      })),
    })),
  );
  const isEmpty = ({ kind, keys }: EncryptionEntry['providers'][number]): boolean =>
    isKeyed(kind) && keys.length === 0;
  return resources.length === 0 || providers.length === 0 || providers.some(isEmpty)
    ? undefined
    : { resources, providers };
}
