import { parseAllDocuments, YAMLParseError } from 'yaml';
import { type Item, readContents } from '../../ca/contents.ts';
import { KbinError } from '../../errors.ts';
import { isKubeconfig, readAdoptable } from './adopt-yaml.ts';

/**
 * What is in a kubeconfig, or in Kubernetes' objects (Secrets, ConfigMaps, CertificateSigningRequests, Lists of them), as
 * `kubectl get … -o yaml` or `-o json` prints them. Empty when there is nothing of the kind in it. Throws KbinError when it
 * is not YAML, or when what looks like a certificate is damaged.
 */
export function readDocuments(text: string, source: string): readonly Item[] {
  if (isKubeconfig(text)) {
    const { texts } = readAdoptable(source, text);
    return texts.flatMap(({ place, pem }) => readContents(Buffer.from(pem), place) ?? []);
  }
  return documentsOf(text, source).flatMap((value) => itemsOf(value, source));
}

function documentsOf(text: string, source: string): readonly unknown[] {
  try {
    return parseAllDocuments(text).map((document) => {
      const [mistake] = document.errors;
      if (mistake !== undefined) throw mistake;
      return document.toJS() as unknown;
    });
  } catch (cause) {
    throw new KbinError(`${source} cannot be read`, {
      why: `it is neither PEM nor DER nor YAML${placeOf(cause)}`,
      next: 'give a certificate file, a kubeconfig, or what "kubectl get secret NAME -o yaml" prints',
    });
  }
}

/** Where the mistake is and of what kind. What a parser says quotes the file, and a secret may be in it. */
function placeOf(mistake: unknown): string {
  if (mistake instanceof ReferenceError) return ': an alias in it has no anchor';
  if (!(mistake instanceof YAMLParseError)) return '';
  const [at] = mistake.linePos ?? [];
  return `: ${mistake.code}${at === undefined ? '' : ` at line ${at.line}, column ${at.col}`}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function itemsOf(value: unknown, source: string): readonly Item[] {
  const { kind, items, metadata } = record(value);
  if (typeof kind !== 'string') return [];
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => itemsOf(item, source));
  const { namespace, name } = record(metadata);
  const place = [source, [kind, namespace, name].filter((part) => typeof part === 'string').join('/')].join(
    ', ',
  );
  return partsOf(kind, value).flatMap(([key, bytes]) => readContents(bytes, `${place}, ${key}`) ?? []);
}

/** Name of each value, and its bytes. */
function partsOf(kind: string, value: unknown): readonly (readonly [string, Buffer])[] {
  const { data, stringData, binaryData, spec, status } = record(value);
  const encoded = (values: unknown) =>
    entries(values).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const);
  const plain = (values: unknown) => entries(values).map(([key, text]) => [key, Buffer.from(text)] as const);
  switch (kind) {
    case 'Secret':
      return [...encoded(data), ...plain(stringData)];
    case 'ConfigMap':
      return [...plain(data), ...encoded(binaryData)];
    case 'CertificateSigningRequest':
      return [...encoded(pick(spec, 'request')), ...encoded(pick(status, 'certificate'))];
    default:
      return [];
  }
}

const pick = (value: unknown, name: string): unknown => ({ [name]: record(value)[name] });

function entries(values: unknown): readonly (readonly [string, string])[] {
  return Object.entries(record(values)).flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, text] as const] : [],
  );
}
