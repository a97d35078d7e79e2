import { KbinError } from '../errors.ts';
import { certificateParts } from './certificate-parts.ts';
import { type CrlInfo, crlLabel, readCrl } from './crl-read.ts';
import { firstElement } from './der-read.ts';
import { type CertificateInfo, inspectPem } from './inspect.ts';
import { keyLabelOf } from './key-der.ts';
import { isDer, type PemBlock, pemBlocks, pemText } from './pem.ts';
import { isPkcs12 } from './pkcs12-read.ts';
import { type Asked, readAsked } from './sign-request.ts';

/** A thing in a file. `where` names it for a reader: the file, and which of several it is. */
export type Item =
  | { readonly kind: 'certificate'; readonly where: string; readonly info: CertificateInfo }
  | { readonly kind: 'request'; readonly where: string; readonly asked: Asked }
  | { readonly kind: 'list'; readonly where: string; readonly list: CrlInfo }
  /** Of which nothing but its presence is told. */
  | { readonly kind: 'key'; readonly where: string; readonly what: string }
  /** It has to be opened with a password. */
  | { readonly kind: 'pkcs12'; readonly where: string; readonly der: Buffer };

/**
 * What is in a PEM or DER file. `source` names it in errors and in `where`. undefined: it is neither. Throws KbinError for
 * what begins as one of them and is damaged.
 */
export function readContents(bytes: Buffer, source: string): readonly Item[] | undefined {
  const keyLabel = keyLabelOf(bytes);
  if (keyLabel !== undefined) return [{ kind: 'key', where: source, what: keyLabel.toLowerCase() }];
  if (isDer(bytes)) return [readDer(bytes, source)];
  const text = bytes.toString('utf8');
  return /^-----BEGIN /m.test(text) ? readPem(text, source) : undefined;
}

function readDer(der: Buffer, source: string): Item {
  if (isPkcs12(der)) return { kind: 'pkcs12', where: source, der };
  const trials = [
    () => certificateParts(der) && certificateItem(der, source),
    () => listItem(der, source),
    () => requestItem(pemText('CERTIFICATE REQUEST', der), source),
  ];
  let why: unknown;
  for (const trial of trials) {
    try {
      return trial();
    } catch (error) {
      why = isLonger(why, error) ? why : error;
    }
  }
  throw unreadable(
    source,
    whole(der)
      ? 'it is DER, and no certificate, request, revocation list, key or PKCS #12'
      : 'it is cut short, or not DER',
    why,
  );
}

/** What a KbinError says of a request is worth more than that the bytes are no certificate. */
const isLonger = (known: unknown, error: unknown): boolean =>
  known instanceof KbinError && !(error instanceof KbinError);

function whole(der: Buffer): boolean {
  try {
    return firstElement(der).whole.length === der.length;
  } catch {
    return false;
  }
}

function readPem(text: string, source: string): Item[] {
  const blocks = pemBlocks(text, source);
  const counts = new Map<string, number>();
  const total = (noun: string): number => blocks.filter(({ label }) => nounOf(label) === noun).length;
  return blocks.map((block) => {
    const noun = nounOf(block.label);
    const number = (counts.get(noun) ?? 0) + 1;
    counts.set(noun, number);
    return itemOf(block, total(noun) === 1 ? source : `${source}, ${noun} ${number}`);
  });
}

function nounOf(label: string): string {
  if (label.endsWith('CERTIFICATE REQUEST')) return 'request';
  if (label.endsWith('CERTIFICATE')) return 'certificate';
  return label === crlLabel ? 'revocation list' : label.toLowerCase();
}

function itemOf(block: PemBlock, where: string): Item {
  switch (nounOf(block.label)) {
    case 'certificate':
      return certificateItem(block.der, where, block.label);
    case 'request':
      return requestItem(block.text, where);
    case 'revocation list':
      return listItem(block.der, where);
    case 'pkcs12':
      return { kind: 'pkcs12', where, der: block.der };
    default:
      return { kind: 'key', where, what: block.label.toLowerCase() };
  }
}

function certificateItem(der: Buffer, where: string, label = 'CERTIFICATE'): Item {
  const [info] = inspectPem(pemText(label, der), where);
  if (info === undefined) throw new Error('a block without a certificate');
  return { kind: 'certificate', where, info };
}

const requestItem = (pem: string, where: string): Item => ({
  kind: 'request',
  where,
  asked: readAsked(pem, where),
});

function listItem(der: Buffer, where: string): Item {
  try {
    return { kind: 'list', where, list: readCrl(der) };
  } catch (cause) {
    throw unreadable(where, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unreadable(source: string, why: string, cause: unknown): KbinError {
  if (cause instanceof KbinError && cause.message.includes('not signed')) return cause;
  const next = 'give a certificate, request, revocation list or PKCS #12 file, in PEM or DER';
  return new KbinError(`${source} cannot be read`, { why, next, cause });
}
