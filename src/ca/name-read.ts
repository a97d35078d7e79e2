import { children, firstElement, readOid } from './der-read.ts';

/** One attribute of a name: its type as a dotted object identifier. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** A Name (RFC 5280 section 4.1.2.4), DER, as its sets of attributes. Throws RangeError when it is none. */
export function readName(name: Buffer): NameAttribute[][] {
  return children(firstElement(name).content).map((set) =>
    children(set.content).map((attribute) => {
      const [type, value] = children(attribute.content);
      if (type?.tag !== 0x06 || value === undefined)
        throw new RangeError('DER: a name without type or value');
      return { oid: readOid(type.content), value: text(value.tag, value.content) };
    }),
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(tag: number, content: Buffer): string {
  switch (tag) {
    case 0x0c:
      return decode(content);
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x14: // TeletexString, which everybody takes for Latin-1
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return content.toString('latin1');
    case 0x1e: // BMPString
      if (content.length % 2 !== 0) throw new RangeError('DER: a BMPString of half a letter');
      return Buffer.from(content).swap16().toString('utf16le');
    default:
      throw new RangeError(`DER: a name of type 0x${tag.toString(16)}`);
  }
}

function decode(content: Buffer): string {
  try {
    return utf8.decode(content);
  } catch {
    throw new RangeError('DER: a name that is not UTF-8');
  }
}
