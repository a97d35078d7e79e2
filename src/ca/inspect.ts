import 'reflect-metadata';
import { createHash, X509Certificate as OpensslCertificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type San, toSan } from '../../pki/san.ts';
import { extendedUsageOids, keyUsageBits, type Usage } from '../../pki/usages.ts';
import type { KeyAlgorithm } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import { certificateParts } from './certificate-parts.ts';
import { algorithmOf } from './keys.ts';
import { nameText } from './names.ts';
import { type PemBlock, pemBlocks } from './pem.ts';

/** What a certificate says, as plain data that prints as JSON. */
export interface CertificateInfo {
  /** `O=Example, CN=etcd-ca`, in the certificate's own order. */
  readonly subject: string;
  readonly issuer: string;
  readonly subjectFields: readonly NameField[];
  readonly issuerFields: readonly NameField[];
  /** Hex, as openssl prints it. */
  readonly serial: string;
  readonly sans: readonly (San | { readonly type: 'other'; readonly value: string })[];
  /** In cfssl's terms; an extended usage without such a term by its object identifier. */
  readonly usages: readonly (Usage | string)[];
  readonly isCa: boolean;
  readonly pathLength?: number;
  readonly key: KeyAlgorithm | string;
  /** `ecdsa-sha256`, `rsa-sha384`, … */
  readonly signature: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of the whole certificate, hex in pairs, as openssl prints them. */
  readonly fingerprints: { readonly sha1: string; readonly sha256: string };
  /** Hex. */
  readonly subjectKeyId?: string;
  readonly authorityKeyId?: string;
  readonly pem: string;
}

/** `type` is the usual short name (CN, O, …), else the object identifier. */
export interface NameField {
  readonly type: string;
  readonly value: string;
}

/**
 * Every certificate of a PEM text, in its order; other blocks are passed over. `source` names the text in errors.
 * Throws KbinError when a block is malformed or there is no certificate.
 */
export function inspectPem(pem: string, source = 'the input'): CertificateInfo[] {
  const blocks = pemBlocks(pem, source).filter(({ label }) => certificateLabels.includes(label));
  if (blocks.length === 0) {
    throw new KbinError(`${source} holds no certificate`, {
      next: 'give a PEM file with "-----BEGIN CERTIFICATE-----" in it',
    });
  }
  return blocks.map((block, index) => inspectBlock(block, `${source}, certificate ${index + 1}`));
}

const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];

function inspectBlock(block: PemBlock, source: string): CertificateInfo {
  try {
    return read(block);
  } catch (cause) {
    throw new KbinError(`${source} is not a certificate that can be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'restore the file from a backup, or look at it with "openssl x509 -text"',
      cause,
    });
  }
}

/**
 * Read by OpenSSL, by @peculiar/x509, and field by field, in DER's one form of each (as Go, and so all of Kubernetes, reads
 * it): what only some of them take for a certificate is none.
 */
function read({ der, text }: PemBlock): CertificateInfo {
  const parts = certificateParts(der);
  const openssl = new OpensslCertificate(der);
  // As the programs on the hosts will read the file: they are stricter with PEM than pemBlocks.
  if (!openssl.raw.equals(new OpensslCertificate(text).raw)) throw new Error('its PEM is read differently');
  const certificate = new x509.X509Certificate(der);
  const basic = certificate.getExtension(x509.BasicConstraintsExtension);
  const subjectKeyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const authorityKeyId = certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  const subjectFields = nameFields(parts.subject);
  const issuerFields = nameFields(parts.issuer);
  return {
    subject: nameText(subjectFields),
    issuer: nameText(issuerFields),
    subjectFields,
    issuerFields,
    serial: openssl.serialNumber,
    sans: readSans(certificate),
    usages: readUsages(certificate),
    isCa: basic?.ca ?? false,
    ...(basic?.pathLength === undefined ? {} : { pathLength: basic.pathLength }),
    key: algorithmOf(openssl.publicKey),
    signature: signatureName(certificate),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    fingerprints: { sha1: fingerprint(der, 'sha1'), sha256: fingerprint(der, 'sha256') },
    ...(subjectKeyId === undefined ? {} : { subjectKeyId: subjectKeyId.toLowerCase() }),
    ...(authorityKeyId === undefined ? {} : { authorityKeyId: authorityKeyId.toLowerCase() }),
    pem: text,
  };
}

/** From the raw bytes: the library's JSON form keeps the order and every value as it is. */
function nameFields(name: Buffer): readonly NameField[] {
  return new x509.Name(name)
    .toJSON()
    .flatMap((set) =>
      Object.entries(set).flatMap(([type, values]) => values.map((value) => ({ type, value }))),
    );
}

function readSans(certificate: x509.X509Certificate): CertificateInfo['sans'] {
  const extension = certificate.getExtension(x509.SubjectAlternativeNameExtension);
  return (extension?.names.items ?? []).map(({ type, value }) => {
    if (type === 'ip') return toSan(value);
    if (type === 'dns' || type === 'email') return { type, value };
    return type === 'url' ? { type: 'uri', value } : { type: 'other', value: `${type}:${value}` };
  });
}

function readUsages(certificate: x509.X509Certificate): readonly string[] {
  const bits = certificate.getExtension(x509.KeyUsagesExtension)?.usages ?? 0;
  const extended = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String) ?? [];
  const seen = new Set<number>();
  const keyUsages = Object.entries(keyUsageBits).flatMap(([name, bit]) => {
    if ((bits & (1 << bit)) === 0 || seen.has(bit)) return [];
    seen.add(bit);
    return [name];
  });
  return [...keyUsages, ...extended.map((oid) => usageByOid.get(oid) ?? oid)];
}

const usageByOid: ReadonlyMap<string, string> = new Map(
  Object.entries(extendedUsageOids).map(([usage, oid]) => [oid, usage]),
);

interface Algorithm {
  readonly name: string;
}

function signatureName({ signatureAlgorithm }: x509.X509Certificate): string {
  const { name, hash } = signatureAlgorithm as Algorithm & { readonly hash?: Algorithm };
  const short = /rsa-pss/i.test(name) ? 'rsa-pss' : /rsa/i.test(name) ? 'rsa' : name.toLowerCase();
  return hash === undefined ? short : `${short}-${hash.name.replace('-', '').toLowerCase()}`;
}

export function fingerprint(der: Uint8Array, digest: 'sha1' | 'sha256'): string {
  const hex = createHash(digest).update(der).digest('hex').toUpperCase();
  return hex.match(/../g)?.join(':') ?? '';
}

/** Whole days until `notAfter`; negative once it has passed. */
export function daysLeft({ notAfter }: Pick<CertificateInfo, 'notAfter'>, now: Date): number {
  return Math.floor((notAfter.getTime() - now.getTime()) / 86_400_000);
}
