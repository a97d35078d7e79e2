/**
 * The part of DER (X.690) that certificates are written in. Each function returns one encoded element. Issuing a
 * certificate through a general ASN.1 library costs more than its cryptography does; this is what is left when only
 * the needed types are written. test/ca/encode.test.ts holds the result byte-identical to @peculiar/x509.
 */
export type Der = Buffer;

/** Universal tags, with the constructed bit where a type has it. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export function element(tagByte: number, ...parts: readonly Uint8Array[]): Der {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthBytes = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const der = Buffer.allocUnsafe(2 + lengthBytes + length);
  der[0] = tagByte;
  if (lengthBytes === 0) der[1] = length;
  else {
    der[1] = 0x80 | lengthBytes;
    der.writeUIntBE(length, 2, lengthBytes);
  }
  let at = 2 + lengthBytes;
  for (const part of parts) {
    der.set(part, at);
    at += part.length;
  }
  return der;
}

export const sequence = (...parts: readonly Uint8Array[]): Der => element(tag.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Der => element(tag.set, ...parts);
export const octetString = (content: Uint8Array): Der => element(tag.octetString, content);
export const utf8String = (text: string): Der => element(tag.utf8String, Buffer.from(text, 'utf8'));
export const printableString = (text: string): Der =>
  element(tag.printableString, Buffer.from(text, 'latin1'));
export const derTrue: Der = Buffer.from([tag.boolean, 1, 0xff]);
export const derNull: Der = Buffer.from([tag.null, 0]);

/** A positive integer of at most 31 bits. */
export function smallInteger(value: number): Der {
  const hex = value.toString(16);
  return integer(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

/** A positive integer from its big-endian bytes. */
export function integer(magnitude: Uint8Array): Der {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  return (bytes[0] ?? 0) >= 0x80
    ? element(tag.integer, Buffer.from([0]), bytes)
    : element(tag.integer, bytes);
}

/** Whole octets. */
export const bitString = (content: Uint8Array): Der => element(tag.bitString, Buffer.from([0]), content);

/** Named bits, counted from the left as in RFC 5280; trailing zero bits are left out, as DER wants. */
export function namedBits(bits: readonly number[]): Der {
  const last = Math.max(...bits);
  const bytes = Buffer.alloc((last >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return element(tag.bitString, Buffer.from([7 - (last & 7)]), bytes);
}

/** Context-specific tag. Constructed: it wraps elements; primitive: it takes the place of a type's own tag. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Der =>
  element(0xa0 | number, ...parts);
export const implicit = (number: number, content: Uint8Array): Der => element(0x80 | number, content);

/** Encoded once each: a certificate names the same dozen again and again. */
export function oid(dotted: string): Der {
  const known = oids.get(dotted);
  if (known !== undefined) return known;
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const der = element(tag.oid, Buffer.from([first * 40 + second, ...rest].flatMap(septets)));
  oids.set(dotted, der);
  return der;
}

const oids = new Map<string, Der>();

/** Base 128, all but the last with the top bit set. */
function septets(arc: number): number[] {
  const digits = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift((left % 128) | 0x80);
  }
  return digits;
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on, whole seconds, Z. */
export function time(date: Date): Der {
  const digits = date.toISOString().replaceAll(/\.\d+|[-T:]/g, '');
  const year = date.getUTCFullYear();
  const utc = year >= 1950 && year < 2050;
  return element(
    utc ? tag.utcTime : tag.generalizedTime,
    Buffer.from(utc ? digits.slice(2) : digits, 'latin1'),
  );
}
