import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import ssh2 from 'ssh2';

/** A private key that can sign: what a key file is to a login. */
export interface Signer {
  /** The public key in wire format (RFC 4253, section 6.6). */
  readonly blob: Buffer;
  /** @param hash digest for RSA (`sha256`, `sha512`); the other kinds have theirs by their type. */
  sign(data: Buffer, hash?: string): Buffer;
}

export class WrongPassphrase extends Error {}
export class NeedsPassphrase extends Error {}
export class UnusableKey extends Error {}

const OPENSSH_HEADER = '-----BEGIN OPENSSH PRIVATE KEY-----';

/**
 * Reads a private key: OpenSSH's own format, PEM (PKCS#1, SEC 1), PKCS#8 and PuTTY's.
 * @throws NeedsPassphrase, WrongPassphrase or UnusableKey, whose messages need the file's name put before them.
 */
export function parsePrivateKey(text: string, passphrase?: string): Signer {
  if (/^-----BEGIN (?!OPENSSH )/m.test(text)) return fromPem(text, passphrase);
  const key = ssh2.utils.parseKey(text, passphrase);
  if (key instanceof Error) throw explain(key.message, passphrase);
  if (!key.isPrivateKey()) throw new UnusableKey('it is a public key; the private one is needed');
  return {
    blob: key.getPublicSSH(),
    sign: (data, hash) => {
      const signature = key.sign(data, hash) as Buffer | Error;
      if (signature instanceof Error) throw signature;
      return signature;
    },
  };
}

function explain(message: string, passphrase: string | undefined): Error {
  if (/no passphrase given|encrypted .*passphrase/i.test(message)) return new NeedsPassphrase(message);
  if (passphrase !== undefined && /integrity check|bad decrypt|malformed/i.test(message)) {
    return new WrongPassphrase(message);
  }
  return new UnusableKey(message);
}

/**
 * The public half of an OpenSSH private key, which that format keeps readable beside the encrypted one
 * (PROTOCOL.key): magic, cipher, KDF, KDF options, number of keys, public key. undefined for other formats.
 */
export function publicBlobOf(text: string): Buffer | undefined {
  if (!text.includes(OPENSSH_HEADER)) return undefined;
  const bytes = Buffer.from(text.replaceAll(/-----.*?-----|\s/g, ''), 'base64');
  let at = 'openssh-key-v1\0'.length;
  const field = (): Buffer => {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    return bytes.subarray(start, at);
  };
  try {
    for (let skipped = 0; skipped < 3; skipped++) field();
    at += 4;
    const blob = field();
    return blob.length > 0 ? Buffer.from(blob) : undefined;
  } catch {
    return undefined;
  }
}

function fromPem(text: string, passphrase: string | undefined): Signer {
  const key = loadPem(text, passphrase);
  const blob = publicBlob(createPublicKey(key));
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const ownHash = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' }[curve ?? ''];
  return {
    blob,
    sign: (data, hash) =>
      sign(key.asymmetricKeyType === 'ed25519' ? null : (ownHash ?? hash ?? 'sha1'), data, key),
  };
}

function loadPem(text: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: text, ...(passphrase !== undefined && { passphrase }) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MISSING_PASSPHRASE') throw new NeedsPassphrase(message);
    const encrypted = /ENCRYPTED/.test(text);
    if (encrypted && passphrase === undefined) throw new NeedsPassphrase(message);
    if (encrypted) throw new WrongPassphrase(message);
    throw new UnusableKey(message);
  }
}

function publicBlob(key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const bytes = (part: string | undefined) => Buffer.from(part ?? '', 'base64url');
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return fields('ssh-ed25519', bytes(jwk.x));
  if (jwk.kty === 'RSA') return fields('ssh-rsa', mpint(bytes(jwk.e)), mpint(bytes(jwk.n)));
  const size = { 'P-256': 256, 'P-384': 384, 'P-521': 521 }[jwk.crv ?? ''];
  if (jwk.kty !== 'EC' || !size) throw new UnusableKey(`SSH has no keys of the kind ${jwk.crv ?? jwk.kty}`);
  const point = Buffer.concat([Buffer.of(4), bytes(jwk.x), bytes(jwk.y)]);
  return fields(`ecdsa-sha2-nistp${size}`, `nistp${size}`, point);
}

function fields(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** A positive integer gets a zero octet where its top bit would make it negative (RFC 4251, section 5). */
function mpint(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}
