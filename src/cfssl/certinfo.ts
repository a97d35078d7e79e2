import { createPublicKey } from 'node:crypto';
import {
  type CertificateParts,
  extensionValue,
  readAuthorityKeyIdentifier,
  readKeyIdentifier,
} from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { type NameAttribute, readName } from '../ca/name-read.ts';
import { pemText } from '../ca/pem.ts';
import { readRequest } from '../ca/request.ts';
import { readSans } from '../ca/san-read.ts';
import { inOrder } from './hosts.ts';
import { readable } from './readable.ts';
import { type Algorithm, signatureAlgorithms } from './signature-names.ts';

/** What `cfssl certinfo` prints of a certificate; its own keys in its own order. */
export interface CertificateInfo {
  readonly subject: NameInfo;
  readonly issuer: NameInfo;
  /** Decimal. */
  readonly serial_number: string;
  /** DNS names and addresses. */
  readonly sans?: readonly string[];
  readonly not_before: string;
  readonly not_after: string;
  readonly sigalg: string;
  readonly authority_key_id: string;
  readonly subject_key_id: string;
  readonly pem: string;
}

export type NameInfo = Readonly<Record<string, string | readonly string[]>>;

export function certificateInfo(parts: CertificateParts, name: string): CertificateInfo {
  return readable(name, () => {
    const sans = inOrder(readSans(extensionValue(parts, extensionOids.subjectAltName)));
    const shown = sans.filter(({ type }) => type === 'dns' || type === 'ip').map(({ value }) => value);
    return {
      subject: nameInfo(readName(parts.subject)),
      issuer: nameInfo(readName(parts.issuer)),
      serial_number: decimal(parts.serial),
      ...(shown.length === 0 ? {} : { sans: shown }),
      not_before: instant(parts.notBefore),
      not_after: instant(parts.notAfter),
      sigalg: signatureAlgorithms[parts.signatureAlgorithm]?.name ?? 'Unknown Signature',
      authority_key_id: pairs(
        readAuthorityKeyIdentifier(extensionValue(parts, extensionOids.authorityKeyId)),
      ),
      subject_key_id: pairs(readKeyIdentifier(extensionValue(parts, extensionOids.subjectKeyId))),
      pem: pemText('CERTIFICATE', parts.der),
    };
  });
}

/** Key of the output, and the type it shows. */
const nameKeys = {
  common_name: '2.5.4.3',
  serial_number: '2.5.4.5',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  organizational_unit: '2.5.4.11',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  street_address: '2.5.4.9',
  postal_code: '2.5.4.17',
} as const;

function nameInfo(name: readonly (readonly NameAttribute[])[]): NameInfo {
  const all = name.flat();
  const fields = Object.entries(nameKeys).map(([key, type]) => {
    const values = all.filter(({ oid }) => oid === type).map(({ value }) => value);
    const one = key === 'common_name' || key === 'serial_number';
    return [key, (one ? values.slice(-1) : values).join(',')] as const;
  });
  const names = all.length === 0 ? [] : [['names', all.map(({ value }) => value)] as const];
  return Object.fromEntries([...fields.filter(([, value]) => value !== ''), ...names]);
}

/** The facts of `cfssl certinfo -csr` under its keys; Go's inner representation of keys and attributes is left out. */
export async function requestInfo(pem: string, source: string): Promise<object> {
  const request = readRequest(pem, source);
  return readable(source, () => {
    const algorithm: Algorithm | undefined = signatureAlgorithms[request.signatureAlgorithm];
    const sans = readSans(extensionValue(request, extensionOids.subjectAltName));
    const values = (type: string): string[] | null => {
      const found = sans.filter((san) => san.type === type).map(({ value }) => value);
      return found.length === 0 ? null : found;
    };
    const keyTypes: Readonly<Record<string, number>> = { rsa: 1, ec: 3, ed25519: 4 };
    const keyType = createPublicKey({ key: request.spki, type: 'spki', format: 'der' }).asymmetricKeyType;
    return {
      Raw: request.der.toString('base64'),
      RawTBSCertificateRequest: request.info.toString('base64'),
      RawSubjectPublicKeyInfo: request.spki.toString('base64'),
      RawSubject: request.subject.toString('base64'),
      Version: 0,
      Signature: request.signature.toString('base64'),
      SignatureAlgorithm: algorithm?.number ?? 0,
      PublicKeyAlgorithm: keyTypes[keyType ?? ''] ?? 0,
      Subject: goName(readName(request.subject)),
      Extensions: request.extensions.map(({ oid, critical, value }) => ({
        Id: oid.split('.').map(Number),
        Critical: critical,
        Value: value.toString('base64'),
      })),
      DNSNames: values('dns'),
      EmailAddresses: values('email'),
      IPAddresses: values('ip'),
      URIs: values('uri'),
    };
  });
}

function goName(name: readonly (readonly NameAttribute[])[]): object {
  const all = name.flat();
  const values = (type: string): string[] => all.filter(({ oid }) => oid === type).map(({ value }) => value);
  const listed = (type: string): string[] | null => (values(type).length === 0 ? null : values(type));
  return {
    Country: listed(nameKeys.country),
    Organization: listed(nameKeys.organization),
    OrganizationalUnit: listed(nameKeys.organizational_unit),
    Locality: listed(nameKeys.locality),
    Province: listed(nameKeys.province),
    StreetAddress: listed(nameKeys.street_address),
    PostalCode: listed(nameKeys.postal_code),
    SerialNumber: values(nameKeys.serial_number).at(-1) ?? '',
    CommonName: values(nameKeys.common_name).at(-1) ?? '',
    Names:
      all.length === 0
        ? null
        : all.map(({ oid, value }) => ({ Type: oid.split('.').map(Number), Value: value })),
    ExtraNames: null,
  };
}

/** Without the fraction that no certificate has. */
export const instant = (date: Date): string => date.toISOString().replace('.000Z', 'Z');

function decimal(content: Buffer): string {
  // RFC 5280 allows 20; the time that a number takes to be written grows with its square.
  if (content.length > 64) throw new RangeError(`a serial number of ${content.length} octets`);
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex') || '0'}`)).toString();
}

function pairs(bytes: Buffer | undefined): string {
  return (bytes?.toString('hex').toUpperCase().match(/../g) ?? []).join(':');
}
