import { type San, sanMistake } from '../../pki/san.ts';
import { extendedUsageOids, keyUsageBits, type Usage } from '../../pki/usages.ts';
import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { certificateParts, extensionValue, readBasicConstraints } from './certificate-parts.ts';
import { children, firstElement, readOid } from './der-read.ts';
import { extensionOids } from './extensions.ts';
import { type Issued, type Issuer, issueCertificate } from './issue.ts';
import type { NewlyIssued } from './issued.ts';
import { algorithmOf } from './keys.ts';
import { readName } from './name-read.ts';
import { attributeOids, nameText } from './names.ts';
import { type ReadRequest, readRequest } from './request.ts';
import { reservedNames } from './reserved-names.ts';
import { readSans } from './san-read.ts';
import { sanKey } from './suffices.ts';

/** What a request from elsewhere asks for. It is signed with the key that it is about. */
export interface Asked {
  /** The file. */
  readonly source: string;
  readonly subject: readonly { readonly type: string; readonly value: string }[];
  readonly sans: readonly San[];
  /** `ecdsa-p256`, `rsa-1024`, … */
  readonly key: string;
  readonly isCa: boolean;
  /** In cfssl's terms, else object identifiers. What is granted is the profile's. */
  readonly usages: readonly string[];
  readonly request: ReadRequest;
}

/** What is granted, whatever was asked for. */
export interface Grant {
  readonly usages: readonly Usage[];
  readonly validityHours: number;
  /** In the place of those of the request. */
  readonly sans?: readonly San[];
  /** Names of the cluster's own parts and of superusers: reservedNames. */
  readonly allowSystem: boolean;
}

/** Throws KbinError when it is no request, garbled, or not signed with its own key. */
export function readAsked(pem: string, source: string): Asked {
  const request = readRequest(pem, source);
  const basic = readBasicConstraints(extensionValue(request, extensionOids.basicConstraints));
  const bits = extensionValue(request, extensionOids.keyUsage);
  return {
    source,
    subject: readName(request.subject)
      .flat()
      .map(({ oid, value }) => ({ type: shortName(oid), value })),
    sans: readSans(extensionValue(request, extensionOids.subjectAltName)),
    key: algorithmOf(request.publicKey),
    isCa: basic !== undefined || (bits !== undefined && signsCertificates(bits)),
    usages: usagesAsked(request),
    request,
  };
}

const shortNames: ReadonlyMap<string, string> = new Map([
  ...Object.entries(attributeOids).map(([name, oid]): [string, string] => [oid, name]),
  ['2.5.4.5', 'serialNumber'],
  ['1.2.840.113549.1.9.1', 'E'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);

/** `CN`, `O`, …, else the object identifier. */
export const shortName = (oid: string): string => shortNames.get(oid) ?? oid;

function usagesAsked(request: ReadRequest): readonly string[] {
  const bits = firstElement(extensionValue(request, extensionOids.keyUsage) ?? noBits).content.subarray(1);
  const extended = extensionValue(request, extensionOids.extendedKeyUsage);
  const oids = extended === undefined ? [] : children(firstElement(extended).content);
  return [
    ...Object.entries(keyUsageBits)
      .filter(
        ([name, bit]) => name !== 'digital signature' && ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0,
      )
      .map(([name]) => name),
    ...oids.map(({ content }) => usageNames.get(readOid(content)) ?? readOid(content)),
  ];
}

/** A BIT STRING without bits. */
const noBits = Buffer.from([0x03, 0x01, 0x00]);

const usageNames: ReadonlyMap<string, string> = new Map(
  Object.entries(extendedUsageOids).map(([name, oid]) => [oid, name]),
);

/** keyCertSign is bit 5, cRLSign bit 6 (RFC 5280 section 4.2.1.3). */
function signsCertificates(value: Buffer): boolean {
  return ((firstElement(value).content[1] ?? 0) & 0b0000_0110) !== 0;
}

/** Names of the request that are of a type that is never granted. */
export function otherNames({ request }: Asked): number {
  const value = extensionValue(request, extensionOids.subjectAltName);
  return value === undefined ? 0 : children(firstElement(value).content).length - readSans(value).length;
}

/** Why such a certificate is not signed; empty when it is. */
export function refusals(asked: Asked, grant: Grant, authority: PlannedAuthority): string[] {
  const sans = grant.sans ?? asked.sans;
  const names = asked.subject.filter(({ type }) => type === 'CN');
  const serves = grant.usages.includes('server auth');
  const reserved = grant.allowSystem ? [] : reservedNames(asked, grant, authority);
  const weak = weaknessOf(asked);
  return [
    ...(weak === undefined ? [] : [weak]),
    ...(asked.isCa ? ['it asks to be a CA, and this signs leaves only'] : []),
    ...(names.length === 1
      ? []
      : [names.length === 0 ? 'its subject has no CN' : 'its subject has more than one CN']),
    ...(asked.subject.some(({ value }) => /\p{Cc}/u.test(value))
      ? ['its subject has control characters in it']
      : []),
    ...reserved.map((reason) => `${reason}: --allow-system if you mean it`),
    ...(serves && sans.length === 0
      ? ['it has no SANs, so no client would accept it: --sans gives it some']
      : []),
    ...sans.flatMap((san) => {
      const mistake = sanMistake(san);
      return mistake === undefined ? [] : [`the name ${JSON.stringify(san.value)} ${mistake}`];
    }),
  ];
}

function weaknessOf({ key, request }: Asked): string | undefined {
  const { publicExponent = 65_537n, modulusLength } = request.publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < 2048) return `its key is weak: ${key}`;
  if (publicExponent < 3n || publicExponent % 2n === 0n)
    return `its RSA key has the exponent ${publicExponent}`;
  if (!/^(rsa-|ecdsa-p(256|384|521)$|ed25519$)/.test(key)) return `nobody here takes a key of type ${key}`;
  if (sha1.has(request.signatureAlgorithm)) return 'it is signed with SHA-1: have it made with a newer tool';
  return undefined;
}

const sha1: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.5', '1.2.840.10045.4.1']);

/** The subject as it stands in the request, the names, and the profile's usages: nothing else of what it asks for. */
export function signRequest(asked: Asked, grant: Grant, issuer: Issuer, now: Date): Issued {
  const { subject, spki } = asked.request;
  const { usages, validityHours } = grant;
  const allowed = asked.key.startsWith('rsa')
    ? usages
    : usages.filter((usage) => usage !== 'key encipherment');
  return issueCertificate(
    { subject, spki, usages: allowed, validityHours, sans: grant.sans ?? asked.sans, now },
    issuer,
  );
}

/** What the record keeps of it. */
export function recordOf(
  asked: Asked,
  { der, notAfter }: Issued,
  issuer: Issuer,
  grant: Grant,
  authority: string,
): NewlyIssued {
  return {
    authority,
    authorityKeyId: Buffer.from(issuer.subjectKeyId).toString('hex'),
    serial: certificateParts(der).serial.toString('hex').toUpperCase(),
    subject: nameText(asked.subject),
    sans: (grant.sans ?? asked.sans).map(sanKey),
    notAfter,
    purpose: 'pki sign',
  };
}
