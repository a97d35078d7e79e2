import ipaddr from 'ipaddr.js';
import { type San, sanMistake } from '../../pki/san.ts';
import { extendedUsageOids, isKeyUsage, keyUsageBits, type Usage } from '../../pki/usages.ts';
import { KbinError } from '../errors.ts';
import { type Der, derTrue, implicit, namedBits, octetString, oid, sequence, smallInteger } from './der.ts';

export const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

export interface ExtensionValues {
  readonly usages: readonly Usage[];
  /** undefined: no CA. */
  readonly authority?: { readonly pathLength?: number };
  readonly subjectKeyId: Uint8Array;
  /** undefined on a certificate that signs itself. */
  readonly authorityKeyId?: Uint8Array;
  readonly sans: readonly San[];
}

/** The extensions that RFC 5280 section 4.2 wants, with its criticality, in the order that cfssl writes them. */
export function encodeExtensions(values: ExtensionValues): Der {
  return sequence(
    ...keyUsage(values.usages),
    ...extendedKeyUsage(values.usages),
    basicConstraints(values.authority),
    extension('subjectKeyId', false, octetString(values.subjectKeyId)),
    ...(values.authorityKeyId === undefined
      ? []
      : [extension('authorityKeyId', false, sequence(implicit(0, values.authorityKeyId)))]),
    ...subjectAltName(values.sans),
  );
}

function extension(name: keyof typeof extensionOids, critical: boolean, value: Der): Der {
  return encodeExtension(extensionOids[name], critical, value);
}

/** Any extension; `value` is what its octet string holds. */
export function encodeExtension(dotted: string, critical: boolean, value: Uint8Array): Der {
  const id = oid(dotted);
  return critical ? sequence(id, derTrue, octetString(value)) : sequence(id, octetString(value));
}

export function keyUsage(usages: readonly Usage[]): readonly Der[] {
  const bits = usages.filter(isKeyUsage).map((usage) => keyUsageBits[usage]);
  return bits.length === 0 ? [] : [extension('keyUsage', true, namedBits(bits))];
}

export function extendedKeyUsage(usages: readonly Usage[]): readonly Der[] {
  const oids = usages.flatMap((usage) => (isKeyUsage(usage) ? [] : [oid(extendedUsageOids[usage])]));
  return oids.length === 0 ? [] : [extension('extendedKeyUsage', false, sequence(...oids))];
}

export function basicConstraints(authority: ExtensionValues['authority']): Der {
  const parts: Der[] = [];
  if (authority !== undefined) {
    parts.push(derTrue);
    if (authority.pathLength !== undefined) parts.push(smallInteger(authority.pathLength));
  }
  return extension('basicConstraints', true, sequence(...parts));
}

/** Tags of GeneralName (RFC 5280 section 4.2.1.6). */
const generalName = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

function subjectAltName(sans: readonly San[]): readonly Der[] {
  if (sans.length === 0) return [];
  for (const san of sans) {
    const mistake = sanMistake(san);
    if (mistake !== undefined) throw new KbinError(`subject alternative name "${san.value}" ${mistake}`);
  }
  return [extension('subjectAltName', false, encodeSans(sans))];
}

/** GeneralNames (RFC 5280 section 4.2.1.6), as they are: whoever calls this has looked at them. */
export function encodeSans(sans: readonly San[]): Der {
  return sequence(...sans.map((san) => implicit(generalName[san.type], sanBytes(san))));
}

function sanBytes({ type, value }: San): Uint8Array {
  return type === 'ip' ? Buffer.from(ipaddr.parse(value).toByteArray()) : Buffer.from(value, 'latin1');
}
