import { children, type Element, firstElement, readOid } from './der-read.ts';

/** A certificate taken apart with nothing interpreted, as far down as its rules look (RFC 5280 section 4.1). */
export interface LintCertificate {
  readonly der: Buffer;
  /** What the [0] holds; undefined where there is none, which is version 1. */
  readonly version: Element | undefined;
  readonly serial: Element;
  /** AlgorithmIdentifiers: within what is signed, and beside it. */
  readonly innerAlgorithm: Element;
  readonly outerAlgorithm: Element;
  readonly signature: Element;
  readonly issuer: Element;
  readonly notBefore: Element;
  readonly notAfter: Element;
  readonly subject: Element;
  readonly spki: Element;
  /** issuerUniqueID, subjectUniqueID. */
  readonly uniqueIds: readonly Element[];
  /** undefined: the field is not there at all. */
  readonly extensions: readonly LintExtension[] | undefined;
}

export interface LintExtension {
  readonly oid: string;
  /** The BOOLEAN as it is encoded; undefined where the default (not critical) is left out. */
  readonly criticality: Element | undefined;
  readonly critical: boolean;
  /** What the octet string holds. */
  readonly value: Buffer;
}

/** Throws RangeError when `der` is not built like a certificate. */
export function takeApart(der: Buffer): LintCertificate {
  const whole = firstElement(der);
  if (whole.tag !== 0x30 || whole.whole.length !== der.length) throw new RangeError('not one SEQUENCE');
  const [tbs, outerAlgorithm, signature, ...more] = children(whole.content);
  if (tbs?.tag !== 0x30 || outerAlgorithm?.tag !== 0x30 || signature?.tag !== 0x03 || more.length > 0)
    throw new RangeError('not tbsCertificate, signatureAlgorithm and signatureValue');
  const fields = children(tbs.content);
  const version = fields[0]?.tag === 0xa0 ? fields.shift() : undefined;
  const [serial, innerAlgorithm, issuer, validity, subject, spki, ...rest] = fields;
  if (serial?.tag !== 0x02) throw new RangeError('no serialNumber');
  if (innerAlgorithm?.tag !== 0x30) throw new RangeError('no signature algorithm in what is signed');
  if (issuer?.tag !== 0x30 || subject?.tag !== 0x30) throw new RangeError('no issuer or no subject');
  if (validity?.tag !== 0x30) throw new RangeError('no validity');
  if (spki?.tag !== 0x30) throw new RangeError('no subjectPublicKeyInfo');
  const [notBefore, notAfter, ...times] = children(validity.content);
  if (notBefore === undefined || notAfter === undefined || times.length > 0)
    throw new RangeError('a validity that is not two times');
  const strange = rest.find(({ tag }) => ![0x81, 0x82, 0xa1, 0xa2, 0xa3].includes(tag));
  if (strange !== undefined) throw new RangeError(`a field with tag 0x${strange.tag.toString(16)}`);
  const extensions = rest.find(({ tag }) => tag === 0xa3);
  return {
    der,
    version: version === undefined ? undefined : firstElement(version.content),
    serial,
    innerAlgorithm,
    outerAlgorithm,
    signature,
    issuer,
    notBefore,
    notAfter,
    subject,
    spki,
    uniqueIds: rest.filter(({ tag }) => tag !== 0xa3),
    extensions: extensions && children(firstElement(extensions.content).content).map(toExtension),
  };
}

function toExtension({ tag, content }: Element): LintExtension {
  const parts = children(content);
  const [type, second] = parts;
  const value = parts.at(-1);
  const criticality = parts.length === 3 ? second : undefined;
  if (tag !== 0x30 || type?.tag !== 0x06 || value?.tag !== 0x04 || parts.length > 3 || parts.length < 2)
    throw new RangeError('a malformed extension');
  if (parts.length === 3 && criticality?.tag !== 0x01)
    throw new RangeError('an extension whose criticality is no BOOLEAN');
  return {
    oid: readOid(type.content),
    criticality,
    critical: criticality !== undefined && criticality.content[0] !== 0,
    value: value.content,
  };
}

export interface LintAttribute {
  readonly oid: string;
  readonly value: Element;
}

/** Of a Name (section 4.1.2.4): its relative names, each a set of attributes. */
export function attributeSets(name: Element): readonly (readonly LintAttribute[])[] {
  return children(name.content).map((set) => {
    if (set.tag !== 0x31) throw new RangeError('a name that is no sequence of sets');
    return children(set.content).map((attribute) => {
      const [type, value, ...more] = children(attribute.content);
      if (attribute.tag !== 0x30 || type?.tag !== 0x06 || value === undefined || more.length > 0)
        throw new RangeError('a malformed attribute of a name');
      return { oid: readOid(type.content), value };
    });
  });
}

export function extensionOf({ extensions }: LintCertificate, oid: string): LintExtension | undefined {
  return extensions?.find((extension) => extension.oid === oid);
}

/** The one element that the extension's octet string holds. Throws RangeError when it is another, or more than one. */
export function extensionElement(
  certificate: LintCertificate,
  oid: string,
  tag: number,
): Element | undefined {
  const value = extensionOf(certificate, oid)?.value;
  if (value === undefined) return undefined;
  const element = firstElement(value);
  if (element.tag !== tag || element.whole.length !== value.length)
    throw new RangeError(`the extension ${oid} does not hold what it should`);
  return element;
}

/** Name as it stands equal to its issuer's: a CA that signs itself, or renames its key (section 3.2). */
export function isSelfIssued({ issuer, subject }: LintCertificate): boolean {
  return issuer.whole.equals(subject.whole);
}

/** basicConstraints with cA TRUE. */
export function isAuthority(certificate: LintCertificate): boolean {
  return basicConstraints(certificate)?.authority ?? false;
}

export interface BasicConstraints {
  readonly authority: boolean;
  readonly flag: Element | undefined;
  readonly pathLength: Element | undefined;
}

export function basicConstraints(certificate: LintCertificate): BasicConstraints | undefined {
  const element = extensionElement(certificate, '2.5.29.19', 0x30);
  if (element === undefined) return undefined;
  const parts = children(element.content);
  const flag = parts.find(({ tag }) => tag === 0x01);
  return {
    authority: flag !== undefined && flag.content[0] !== 0,
    flag,
    pathLength: parts.find(({ tag }) => tag === 0x02),
  };
}

/** Numbers of the bits that are set in a keyUsage (section 4.2.1.3); undefined: no such extension. */
export function keyUsageBitsOf(certificate: LintCertificate): readonly number[] | undefined {
  const element = extensionElement(certificate, '2.5.29.15', 0x03);
  if (element === undefined) return undefined;
  const [, ...octets] = element.content;
  return octets.flatMap((octet, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (octet & (0x80 >> bit)) !== 0).map((bit) => index * 8 + bit),
  );
}

/** Object identifiers of an extended key usage; undefined: no such extension. */
export function extendedUsagesOf(certificate: LintCertificate): readonly string[] | undefined {
  const element = extensionElement(certificate, '2.5.29.37', 0x30);
  return element && children(element.content).map(({ content }) => readOid(content));
}

/** Object identifier of an AlgorithmIdentifier, and its parameters. */
export function algorithm({ content }: Element): {
  readonly oid: string;
  readonly parameters: Element | undefined;
} {
  const [type, parameters] = children(content);
  if (type?.tag !== 0x06) throw new RangeError('an algorithm without a name');
  return { oid: readOid(type.content), parameters };
}
