import { KbinError } from '../errors.ts';
import {
  algorithmOid,
  extensionValue,
  readAuthorityKeyIdentifier,
  readExtensions,
} from './certificate-parts.ts';
import { crlNumberOid, reasonCodeOid } from './crl.ts';
import { children, type Element, firstElement, readTime } from './der-read.ts';
import { extensionOids } from './extensions.ts';
import { pemBlocks, pemText } from './pem.ts';

/** What a certificate revocation list says. Signatures are looked at by whoever has the CA's key. */
export interface CrlInfo {
  readonly der: Buffer;
  /** What is signed, and the signature over it. */
  readonly tbs: Buffer;
  readonly signature: Buffer;
  /** Object identifier. */
  readonly signatureAlgorithm: string;
  /** DER. */
  readonly issuer: Buffer;
  readonly thisUpdate: Date;
  /** undefined: the list does not say when the next one comes (RFC 5280 wants it said). */
  readonly nextUpdate: Date | undefined;
  readonly number: bigint | undefined;
  /** Hex, lower case. */
  readonly authorityKeyId: string | undefined;
  readonly revoked: readonly { readonly serial: string; readonly at: Date; readonly reason: number }[];
}

/** RFC 5280 section 5.1. Throws RangeError when `der` is not built like a revocation list. */
export function readCrl(der: Buffer): CrlInfo {
  const whole = firstElement(der);
  if (whole.tag !== 0x30 || whole.whole.length !== der.length) throw new RangeError('DER: not one list');
  const [tbs, algorithm, signature, more] = children(whole.content);
  if (tbs?.tag !== 0x30 || algorithm?.tag !== 0x30 || signature?.tag !== 0x03 || more !== undefined)
    throw new RangeError('DER: not a revocation list');
  const fields = children(tbs.content);
  if (fields[0]?.tag === 0x02) fields.shift();
  const [inner, issuer, thisUpdate, ...rest] = fields;
  if (inner?.tag !== 0x30 || issuer?.tag !== 0x30 || thisUpdate === undefined)
    throw new RangeError('DER: not a revocation list');
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === 0x30 ? rest.shift() : undefined;
  const extensions = rest[0]?.tag === 0xa0 ? readExtensions(firstElement(rest[0].content)) : [];
  const number = extensionValue({ extensions }, crlNumberOid);
  const authority = readAuthorityKeyIdentifier(extensionValue({ extensions }, extensionOids.authorityKeyId));
  return {
    der,
    tbs: tbs.whole,
    signature: signature.content.subarray(1),
    signatureAlgorithm: algorithmOid(algorithm),
    issuer: issuer.whole,
    thisUpdate: readTime(thisUpdate),
    nextUpdate: nextUpdate === undefined ? undefined : readTime(nextUpdate),
    number: number === undefined ? undefined : readNumber(firstElement(number)),
    authorityKeyId: authority?.toString('hex'),
    revoked: entries === undefined ? [] : children(entries.content).map(readEntry),
  };
}

const isTime = (element: Element | undefined): boolean => element?.tag === 0x17 || element?.tag === 0x18;

function readNumber({ tag, content }: Element): bigint {
  if (tag !== 0x02 || content.length === 0 || content.length > 21)
    throw new RangeError('DER: a list with a number that is none');
  return BigInt(`0x${content.toString('hex')}`);
}

function readEntry({ content }: Element): CrlInfo['revoked'][number] {
  const [serial, at, extensions] = children(content);
  if (serial?.tag !== 0x02 || serial.content.length === 0 || at === undefined)
    throw new RangeError('DER: a malformed entry of a revocation list');
  const value =
    extensions?.tag === 0x30
      ? extensionValue({ extensions: readExtensions(extensions) }, reasonCodeOid)
      : undefined;
  return {
    serial: serialText(serial.content),
    at: readTime(at),
    reason: value === undefined ? 0 : (firstElement(value).content[0] ?? 0),
  };
}

/** As openssl prints it: capitals, without the octet that only keeps it positive. */
export function serialText(content: Uint8Array): string {
  const bytes = content.length > 1 && content[0] === 0 ? content.subarray(1) : content;
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

export const crlLabel = 'X509 CRL';

export const crlPem = (der: Uint8Array): string => pemText(crlLabel, der);

/** The list in a PEM text. `source` names the text in errors. */
export function inspectCrl(pem: string, source: string): CrlInfo {
  const block = pemBlocks(pem, source).find(({ label }) => label === crlLabel);
  const fail = (why: string, cause?: unknown): KbinError =>
    new KbinError(`${source} is not a revocation list that can be read`, {
      why,
      next: 'make it anew: kbin pki crl',
      ...(cause === undefined ? {} : { cause }),
    });
  if (block === undefined) throw fail(`there is no "BEGIN ${crlLabel}" in it`);
  try {
    return readCrl(block.der);
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
}
