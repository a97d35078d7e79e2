import { createHash, createHmac, hash, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { derNull, element, explicit, octetString, oid, sequence, set, smallInteger } from './der.ts';

/**
 * How a PKCS #12 file is closed. `modern` is what OpenSSL 3 writes (PBES2, AES-256, SHA-256), which Windows reads since
 * Windows 10 1709 and Java since 8u301; `legacy` (PBE with SHA-1 and triple DES) is for those before.
 */
export type Pkcs12Strength = 'modern' | 'legacy';

export interface Pkcs12Contents {
  /** Shown by whoever imports it. */
  readonly name: string;
  /** DER; the one that the key belongs to comes first. */
  readonly certificates: readonly Buffer[];
  /** PKCS #8, DER, not encrypted. */
  readonly key: Buffer;
}

const keyIterations = 100_000;
const macIterations = 10_000;

/**
 * A PFX (RFC 7292) with one key and its chain. Only the key is encrypted: certificates are public. node-forge knows the
 * structure for RSA keys only, so that is written here, and its cryptography used.
 */
export function encodePkcs12(contents: Pkcs12Contents, password: string, strength: Pkcs12Strength): Buffer {
  const [leaf, ...chain] = contents.certificates;
  if (leaf === undefined) throw new Error('a PKCS #12 file without a certificate');
  const localId = createHash('sha1').update(leaf).digest();
  const own = [
    attribute(oids.localKeyId, octetString(localId)),
    attribute(oids.friendlyName, bmp(contents.name)),
  ];
  const bags = sequence(
    bag(oids.keyBag, encryptedKey(contents.key, password, strength), own),
    bag(oids.certBag, certificateBag(leaf), own),
    ...chain.map((certificate) => bag(oids.certBag, certificateBag(certificate), [])),
  );
  const authSafe = sequence(data(bags));
  return sequence(smallInteger(3), data(authSafe), mac(authSafe, password, strength));
}

const oids = {
  data: '1.2.840.113549.1.7.1',
  keyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

const data = (content: Uint8Array): Buffer => sequence(oid(oids.data), explicit(0, octetString(content)));

function bag(type: string, value: Uint8Array, attributes: readonly Uint8Array[]): Buffer {
  return sequence(oid(type), explicit(0, value), ...(attributes.length === 0 ? [] : [set(...attributes)]));
}

const attribute = (type: string, value: Uint8Array): Buffer => sequence(oid(type), set(value));

const certificateBag = (der: Uint8Array): Buffer =>
  sequence(oid(oids.x509Certificate), explicit(0, octetString(der)));

/** BMPString: UTF-16, big-endian. */
const bmp = (text: string): Buffer => element(0x1e, Buffer.from(text, 'utf16le').swap16());

function encryptedKey(key: Buffer, password: string, strength: Pkcs12Strength): Buffer {
  const info = forge.asn1.fromDer(key.toString('latin1'));
  const options =
    strength === 'modern'
      ? { algorithm: 'aes256' as const, prfAlgorithm: 'sha256' as const, count: keyIterations, saltSize: 16 }
      : { algorithm: '3des' as const, count: macIterations, saltSize: 8 };
  // PBES2 hashes the password's UTF-8, the older schemes its UTF-16.
  const given = strength === 'modern' ? forge.util.encodeUtf8(password) : password;
  const encrypted = forge.pki.encryptPrivateKeyInfo(info, given, options);
  return Buffer.from(forge.asn1.toDer(encrypted).getBytes(), 'latin1');
}

function mac(authSafe: Buffer, password: string, strength: Pkcs12Strength): Buffer {
  const digest = strength === 'modern' ? 'sha256' : 'sha1';
  const salt = randomBytes(16);
  const value = pkcs12Mac(authSafe, { password, salt, iterations: macIterations, digest });
  const info = sequence(sequence(oid(oids[digest]), derNull), octetString(value));
  return sequence(info, octetString(salt), smallInteger(macIterations));
}

export type MacDigest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Octets of a block, for each. */
const blocks: Readonly<Record<MacDigest, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** RFC 7292 section 5, with the key of appendix B.2 (node-forge derives it as well, and takes seconds). */
export function pkcs12Mac(content: Buffer, { password, salt, iterations, digest }: MacInput): Buffer {
  const block = blocks[digest];
  const forMac = Buffer.alloc(block, 3);
  const secret = Buffer.from(`${password}\0`, 'utf16le').swap16();
  let key = Buffer.concat([forMac, filled(salt, block), filled(secret, block)]);
  for (let round = 0; round < iterations; round++) key = hash(digest, key, 'buffer');
  return createHmac(digest, key).update(content).digest();
}

/** Again and again until the last block is full. */
function filled(bytes: Buffer, block: number): Buffer {
  return bytes.length === 0 ? bytes : Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
}

export interface MacInput {
  readonly password: string;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly digest: MacDigest;
}
