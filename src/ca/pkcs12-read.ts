import { timingSafeEqual } from 'node:crypto';
import forge from 'node-forge';
import { children, type Element, firstElement, readOid } from './der-read.ts';
import { type MacDigest, pkcs12Mac } from './pkcs12.ts';

/** What came of opening a PKCS #12 file. Keys in it are not looked at. */
export type Pkcs12Reading =
  /** DER, in the file's order. */
  { readonly state: 'read'; readonly certificates: readonly Buffer[] } | { readonly state: 'wrong-password' };

/** Whether DER begins as a PFX does (RFC 7292 section 4): version 3, then its content. */
export function isPkcs12(der: Buffer): boolean {
  try {
    const [version, safe] = children(firstElement(der).content);
    return version?.tag === 0x02 && version.content.equals(Buffer.from([3])) && safe?.tag === 0x30;
  } catch {
    return false;
  }
}

/**
 * The certificates of a PFX. Throws RangeError when it is not built like one, or is closed in a way that is not read
 * here: with a public key, without a MAC, or with so many rounds of hashing that it would never end.
 */
export function readPkcs12(der: Buffer, password: string): Pkcs12Reading {
  const [, safe, mac] = children(firstElement(der).content);
  const content = contentOf(safe, oids.data);
  if (content === undefined || mac === undefined)
    throw new RangeError('PKCS #12: not closed with a password');
  if (!isGenuine(content, mac, password)) return { state: 'wrong-password' };
  const certificates = children(firstElement(content).content).flatMap((part) =>
    certificatesIn(safeContents(part, password)),
  );
  return { state: 'read', certificates };
}

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  certBag: '1.2.840.113549.1.12.10.1.3',
  pbes2: '1.2.840.113549.1.5.13',
} as const;

/** Rounds that take a few seconds; what OpenSSL and Windows write is far below. node-forge is slow at the older schemes. */
const mostIterations = 1_000_000;
const mostOldIterations = 50_000;

const macDigests: Readonly<Record<string, MacDigest>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Of a ContentInfo that holds an octet string. */
function contentOf(info: Element | undefined, type: string): Buffer | undefined {
  if (info === undefined) return undefined;
  const [id, value] = children(info.content);
  if (id?.tag !== 0x06 || readOid(id.content) !== type || value === undefined) return undefined;
  return octets(firstElement(value.content));
}

/** BER allows an octet string in pieces. */
function octets(element: Element): Buffer {
  if (element.tag === 0x04) return element.content;
  if (element.tag !== 0x24) throw new RangeError('PKCS #12: no octet string');
  return Buffer.concat(children(element.content).map(({ content }) => content));
}

function isGenuine(content: Buffer, mac: Element, password: string): boolean {
  const [info, salt, rounds] = children(mac.content);
  if (info?.tag !== 0x30 || salt?.tag !== 0x04) throw new RangeError('PKCS #12: a malformed MAC');
  const [algorithm, expected] = children(info.content);
  const [type] = algorithm === undefined ? [] : children(algorithm.content);
  const digest = type?.tag === 0x06 ? macDigests[readOid(type.content)] : undefined;
  if (digest === undefined || expected?.tag !== 0x04)
    throw new RangeError('PKCS #12: an unknown kind of MAC');
  const iterations = rounds === undefined ? 1 : iterationsOf(rounds);
  const found = pkcs12Mac(content, { password, salt: salt.content, iterations, digest });
  return found.length === expected.content.length && timingSafeEqual(found, expected.content);
}

function iterationsOf({ content }: Element, most = mostIterations): number {
  const count =
    content.length === 0 || content.length > 4 ? Number.NaN : content.readUIntBE(0, content.length);
  if (count >= 1 && count <= most) return count;
  throw new RangeError(`PKCS #12: an absurd number of rounds, not 1 to ${most}`);
}

/** SafeContents, DER. */
function safeContents(part: Element, password: string): Buffer {
  const plain = contentOf(part, oids.data);
  if (plain !== undefined) return plain;
  const [id, value] = children(part.content);
  if (id?.tag !== 0x06 || readOid(id.content) !== oids.encryptedData || value === undefined)
    throw new RangeError('PKCS #12: a part that is not closed with a password');
  const encrypted = children(firstElement(value.content).content)[1];
  const [, algorithm, content] = encrypted === undefined ? [] : children(encrypted.content);
  if (algorithm?.tag !== 0x30 || content === undefined) throw new RangeError('PKCS #12: a malformed part');
  const sealed = content.tag === 0x80 ? content.content : octets({ ...content, tag: 0x24 });
  return decrypt(algorithm, sealed, password);
}

function decrypt(algorithm: Element, sealed: Buffer, password: string): Buffer {
  const [type, parameters] = children(algorithm.content);
  if (type?.tag !== 0x06 || parameters === undefined) throw new RangeError('PKCS #12: no algorithm');
  const id = readOid(type.content);
  limitIterations(parameters, id === oids.pbes2 ? mostIterations : mostOldIterations);
  // PBES2 hashes the password's UTF-8, the older schemes its UTF-16.
  const given = id === oids.pbes2 ? forge.util.encodeUtf8(password) : password;
  try {
    const parsed = forge.asn1.fromDer(parameters.whole.toString('latin1'));
    const cipher = cipherOf(id, parsed, given);
    cipher.update(forge.util.createBuffer(sealed.toString('latin1')));
    if (cipher.finish()) return Buffer.from(cipher.output.getBytes(), 'latin1');
  } catch (cause) {
    throw new RangeError('PKCS #12: encrypted in a way that is not read here', { cause });
  }
  throw new RangeError('PKCS #12: a damaged part');
}

/** @types/node-forge has no types for it. */
const cipherOf = (
  forge.pki as unknown as {
    readonly pbe: {
      getCipher(id: string, parameters: forge.asn1.Asn1, password: string): forge.cipher.BlockCipher;
    };
  }
).pbe.getCipher;

/** Whatever the scheme, its rounds are the integer that is not a key length or an effective key size: all must be small. */
function limitIterations(element: Element, most: number): void {
  if (element.tag === 0x02) iterationsOf(element, most);
  if (element.tag === 0x30) for (const child of children(element.content)) limitIterations(child, most);
}

function certificatesIn(contents: Buffer): Buffer[] {
  return children(firstElement(contents).content).flatMap((bag) => {
    const [type, value] = children(bag.content);
    if (type?.tag !== 0x06 || readOid(type.content) !== oids.certBag || value === undefined) return [];
    const held = children(firstElement(value.content).content)[1];
    return held === undefined ? [] : [octets(firstElement(held.content))];
  });
}
