import { children, type Element, firstElement, readOid, readTime } from './der-read.ts';

/** A certificate taken apart and nothing interpreted: what is to be copied, compared or printed exactly as it stands. */
export interface CertificateParts {
  readonly der: Buffer;
  /** The content of the INTEGER. */
  readonly serial: Buffer;
  /** Object identifier. */
  readonly signatureAlgorithm: string;
  /** Names and SubjectPublicKeyInfo as DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly RawExtension[];
}

export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** What the octet string holds. */
  readonly value: Buffer;
}

/** RFC 5280 section 4.1. Throws RangeError when `der` is not built like a certificate; signatures are not looked at. */
export function certificateParts(der: Buffer): CertificateParts {
  const whole = firstElement(der);
  if (whole.tag !== 0x30 || whole.whole.length !== der.length)
    throw new RangeError('DER: not one certificate');
  const [tbs, algorithm] = children(whole.content);
  if (tbs?.tag !== 0x30 || algorithm?.tag !== 0x30) throw new RangeError('DER: not a certificate');
  const fields = children(tbs.content);
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [serial, , issuer, validity, subject, spki, ...rest] = fields;
  if (serial?.tag !== 0x02 || issuer === undefined || validity === undefined)
    throw new RangeError('DER: not a certificate');
  if (subject === undefined || spki === undefined) throw new RangeError('DER: a certificate without a key');
  const [notBefore, notAfter] = children(validity.content);
  if (notBefore === undefined || notAfter === undefined)
    throw new RangeError('DER: a certificate without dates');
  const extensions = rest.find(({ tag }) => tag === 0xa3);
  return {
    der,
    serial: serial.content,
    signatureAlgorithm: algorithmOid(algorithm),
    issuer: issuer.whole,
    subject: subject.whole,
    spki: spki.whole,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    extensions: extensions === undefined ? [] : readExtensions(firstElement(extensions.content)),
  };
}

/** Of an AlgorithmIdentifier. */
export function algorithmOid(algorithm: Element): string {
  const [type] = children(algorithm.content);
  if (type?.tag !== 0x06) throw new RangeError('DER: an algorithm without a name');
  return readOid(type.content);
}

/** `extensions` is the SEQUENCE OF Extension. */
export function readExtensions(extensions: Element): RawExtension[] {
  return children(extensions.content).map((extension) => {
    const parts = children(extension.content);
    const [type] = parts;
    const value = parts.at(-1);
    if (type?.tag !== 0x06 || value?.tag !== 0x04 || parts.length > 3)
      throw new RangeError('DER: a malformed extension');
    const critical = parts.length === 3 && parts[1]?.content[0] === 0xff;
    return { oid: readOid(type.content), critical, value: value.content };
  });
}

export function extensionValue(
  { extensions }: Pick<CertificateParts, 'extensions'>,
  oid: string,
): Buffer | undefined {
  return extensions.find((extension) => extension.oid === oid)?.value;
}

/** From the value of a basicConstraints extension; undefined: no CA. */
export function readBasicConstraints(
  value: Buffer | undefined,
): { readonly pathLength?: number } | undefined {
  if (value === undefined) return undefined;
  const [ca, length] = children(firstElement(value).content);
  if (ca?.tag !== 0x01 || ca.content[0] === 0) return undefined;
  if (length?.tag !== 0x02 || length.content.length > 4) return {};
  return { pathLength: length.content.readIntBE(0, length.content.length) };
}

/** From the value of a subjectKeyIdentifier extension. */
export function readKeyIdentifier(value: Buffer | undefined): Buffer | undefined {
  return value === undefined ? undefined : firstElement(value).content;
}

/** The key identifier out of the value of an authorityKeyIdentifier extension. */
export function readAuthorityKeyIdentifier(value: Buffer | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  return children(firstElement(value).content).find(({ tag }) => tag === 0x80)?.content;
}
