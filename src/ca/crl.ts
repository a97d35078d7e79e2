import { type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  type Der,
  element,
  explicit,
  implicit,
  integer,
  sequence,
  smallInteger,
  tag,
  time,
} from './der.ts';
import { signatureScheme } from './encode.ts';
import { encodeExtension, extensionOids } from './extensions.ts';

export interface CrlFields {
  /** DER, exactly as it stands in the CA's certificate. */
  readonly issuer: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** CRL number (RFC 5280 section 5.2.3), big-endian; cfssl's lists have none. */
  readonly number?: Uint8Array;
  readonly revoked: readonly RevokedEntry[];
}

export interface RevokedEntry {
  /** Big-endian. */
  readonly serial: Uint8Array;
  readonly at: Date;
  /** CRLReason (RFC 5280 section 5.3.1); 0, which says nothing, is left out. */
  readonly reason?: number;
}

export const crlNumberOid = '2.5.29.20';
export const reasonCodeOid = '2.5.29.21';

const reasonCode = (reason: number): Der =>
  encodeExtension(reasonCodeOid, false, element(tag.enumerated, Buffer.from([reason])));

/** A version 2 CRL, DER (RFC 5280 section 5.1). */
export function encodeCrl(fields: CrlFields, key: KeyObject): Der {
  const scheme = signatureScheme(key);
  const { authorityKeyId, number } = fields;
  const extensions = [
    ...(authorityKeyId === undefined
      ? []
      : [encodeExtension(extensionOids.authorityKeyId, false, sequence(implicit(0, authorityKeyId)))]),
    ...(number === undefined ? [] : [encodeExtension(crlNumberOid, false, integer(number))]),
  ];
  const entries = fields.revoked.map(({ serial, at, reason = 0 }) =>
    sequence(integer(serial), time(at), ...(reason === 0 ? [] : [sequence(reasonCode(reason))])),
  );
  const list = sequence(
    smallInteger(1),
    scheme.identifier,
    fields.issuer,
    time(fields.thisUpdate),
    time(fields.nextUpdate),
    // RFC 5280 section 5.1.2.6: left out when nothing is revoked.
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [explicit(0, sequence(...extensions))]),
  );
  return sequence(list, scheme.identifier, bitString(sign(scheme.digest, list, key)));
}
