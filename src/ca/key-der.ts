import { children, type Element, firstElement } from './der-read.ts';

type KeyLabel = 'PRIVATE KEY' | 'ENCRYPTED PRIVATE KEY' | 'RSA PRIVATE KEY' | 'EC PRIVATE KEY' | 'PUBLIC KEY';

const integer = 0x02;
const bits = 0x03;
const octets = 0x04;
const oid = 0x06;
const sequence = 0x30;

/**
 * What PEM would call a key in DER; undefined where it is built like none. By its outer form alone: PKCS#8 (RFC 5958) and
 * encrypted PKCS#8, PKCS#1 (RFC 8017 appendix A.1.2), SEC 1 (RFC 5915), SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
 */
export function keyLabelOf(der: Buffer): KeyLabel | undefined {
  const parts = partsOf(der);
  const tags = parts.map(({ tag }) => tag);
  const begins = (...wanted: readonly number[]): boolean => wanted.every((tag, index) => tags[index] === tag);
  const [first, second] = parts;
  if (begins(integer, sequence, octets) && isAlgorithm(second)) return 'PRIVATE KEY';
  if (begins(integer, octets)) return first?.content.equals(Buffer.from([1])) ? 'EC PRIVATE KEY' : undefined;
  if (tags.length >= 9 && begins(...Array<number>(9).fill(integer))) return 'RSA PRIVATE KEY';
  if (tags.length !== 2 || !isAlgorithm(first)) return undefined;
  if (begins(sequence, octets)) return 'ENCRYPTED PRIVATE KEY';
  return begins(sequence, bits) ? 'PUBLIC KEY' : undefined;
}

function partsOf(der: Buffer): readonly Element[] {
  try {
    const { tag, content, whole } = firstElement(der);
    return tag === sequence && whole.length === der.length ? children(content) : [];
  } catch {
    return [];
  }
}

const isAlgorithm = (element: Element | undefined): boolean =>
  element !== undefined && element.content[0] === oid;
