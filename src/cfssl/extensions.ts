import type { San } from '../../pki/san.ts';
import type { Usage } from '../../pki/usages.ts';
import type { RawExtension } from '../ca/certificate-parts.ts';
import { type Der, derNull, explicit, implicit, octetString, oid, sequence } from '../ca/der.ts';
import {
  basicConstraints,
  encodeExtension,
  encodeSans,
  extendedKeyUsage,
  extensionOids,
  keyUsage,
} from '../ca/extensions.ts';
import { encodePolicies, type Policy, urlName } from './policies.ts';

export interface CertificateExtensions {
  readonly usages: readonly Usage[];
  readonly authority?: { readonly pathLength?: number };
  readonly subjectKeyId: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  readonly sans: readonly San[];
  /** RFC 5280 section 4.2.1.6: the names are critical when there is no subject. */
  readonly hasSubject: boolean;
  readonly ocspUrls: readonly string[];
  readonly issuerUrls: readonly string[];
  readonly crlUrls: readonly string[];
  readonly policies: readonly Policy[];
  readonly ocspNoCheck: boolean;
  /** Copied from the request: each takes the place of the one that would have been made. */
  readonly copied: readonly RawExtension[];
}

const oids = {
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  issuers: '1.3.6.1.5.5.7.48.2',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

/** SEQUENCE OF Extension, in the order in which Go and cfssl write them. */
export function encodeCertificateExtensions(values: CertificateExtensions): Der {
  const isCopied = (type: string): boolean => values.copied.some((extension) => extension.oid === type);
  const unless = (type: string, made: readonly Der[]): readonly Der[] => (isCopied(type) ? [] : made);
  return sequence(
    ...unless(extensionOids.keyUsage, keyUsage(values.usages)),
    ...unless(extensionOids.extendedKeyUsage, extendedKeyUsage(values.usages)),
    basicConstraints(values.authority),
    ...unless(extensionOids.subjectKeyId, [
      encodeExtension(extensionOids.subjectKeyId, false, octetString(values.subjectKeyId)),
    ]),
    ...unless(extensionOids.authorityKeyId, authorityKeyId(values.authorityKeyId)),
    ...unless(oids.authorityInfoAccess, accessInfo(values)),
    ...unless(extensionOids.subjectAltName, alternativeNames(values)),
    ...unless(oids.crlDistributionPoints, distributionPoints(values.crlUrls)),
    ...values.copied.map(({ oid: type, critical, value }) => encodeExtension(type, critical, value)),
    ...unless(oids.certificatePolicies, policies(values.policies)),
    ...(values.ocspNoCheck
      ? unless(oids.ocspNoCheck, [encodeExtension(oids.ocspNoCheck, false, derNull)])
      : []),
  );
}

function authorityKeyId(id: Uint8Array | undefined): Der[] {
  return id === undefined
    ? []
    : [encodeExtension(extensionOids.authorityKeyId, false, sequence(implicit(0, id)))];
}

/** RFC 5280 section 4.2.2.1. */
function accessInfo({ ocspUrls, issuerUrls }: CertificateExtensions): Der[] {
  const places = [
    ...ocspUrls.map((url) => sequence(oid(oids.ocsp), urlName(url))),
    ...issuerUrls.map((url) => sequence(oid(oids.issuers), urlName(url))),
  ];
  return places.length === 0 ? [] : [encodeExtension(oids.authorityInfoAccess, false, sequence(...places))];
}

function alternativeNames({ sans, hasSubject }: CertificateExtensions): Der[] {
  return sans.length === 0
    ? []
    : [encodeExtension(extensionOids.subjectAltName, !hasSubject, encodeSans(sans))];
}

/** RFC 5280 section 4.2.1.13: each place by its full name. */
function distributionPoints(urls: readonly string[]): Der[] {
  const points = urls.map((url) => sequence(explicit(0, explicit(0, urlName(url)))));
  return points.length === 0 ? [] : [encodeExtension(oids.crlDistributionPoints, false, sequence(...points))];
}

function policies(values: readonly Policy[]): Der[] {
  return values.length === 0
    ? []
    : [encodeExtension(oids.certificatePolicies, false, encodePolicies(values))];
}
