/**
 * Just enough reading of DER to take parts out of a certificate exactly as they stand: an imported CA's subject and key
 * identifier are copied into what it signs, never encoded anew. Everything else is read by @peculiar/x509 (inspect.ts).
 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** Throws RangeError when `der` does not hold a whole element at its start. */
export function firstElement(der: Buffer): Element {
  const tag = der.readUInt8(0);
  const short = der.readUInt8(1);
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80 || lengthBytes > 4) throw new RangeError('DER: no definite length');
  const length = lengthBytes === 0 ? short : der.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > der.length) throw new RangeError('DER: an element is longer than what holds it');
  return { tag, content: der.subarray(start, start + length), whole: der.subarray(0, start + length) };
}

export function children(content: Buffer): Element[] {
  const elements: Element[] = [];
  for (let rest = content; rest.length > 0; ) {
    const element = firstElement(rest);
    elements.push(element);
    rest = rest.subarray(element.whole.length);
  }
  return elements;
}

/** The name as it stands in a certificate (RFC 5280 section 4.1), with tag and length. */
export function rawSubject(certificate: Buffer): Buffer {
  const fields = tbsFields(certificate);
  // After version (which v1 certificates leave out): serial, algorithm, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (subject === undefined) throw new RangeError('DER: a certificate without a subject');
  return subject.whole;
}

function tbsFields(certificate: Buffer): Element[] {
  const tbs = children(firstElement(certificate).content)[0];
  if (tbs === undefined) throw new RangeError('DER: an empty certificate');
  return children(tbs.content);
}

/** The bits of a SubjectPublicKeyInfo's key, without the octet that counts unused bits. */
export function publicKeyBits(spki: Buffer): Buffer {
  const bits = children(firstElement(spki).content)[1];
  if (bits === undefined) throw new RangeError('DER: a public key without its bits');
  return bits.content.subarray(1);
}

/** Dotted, from the content of an OBJECT IDENTIFIER. */
export function readOid(content: Buffer): string {
  // The longest in use have about 20 octets; the time that one takes to be read grows with its square.
  if (content.length > 128) throw new RangeError('DER: an object identifier of absurd length');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const [index, byte] of content.entries()) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) === 0) {
      arcs.push(arc);
      arc = 0n;
    } else if (index === content.length - 1) throw new RangeError('DER: an object identifier is cut short');
  }
  const [head, ...rest] = arcs;
  if (head === undefined) throw new RangeError('DER: an empty object identifier');
  const first = head < 80n ? head / 40n : 2n;
  return [first, head - first * 40n, ...rest].join('.');
}

/** UTCTime or GeneralizedTime in the form that RFC 5280 section 4.1.2.5 asks for. */
export function readTime({ tag, content }: Element): Date {
  const text = content.toString('latin1');
  const utc = tag === 0x17 && /^\d{12}Z$/.test(text);
  if (!utc && !(tag === 0x18 && /^\d{14}Z$/.test(text)))
    throw new RangeError('DER: not a time of a certificate');
  const digits = utc ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) throw new RangeError('DER: a time that does not exist');
  return date;
}
