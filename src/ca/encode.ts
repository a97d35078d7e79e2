import { createHash, type KeyObject, sign } from 'node:crypto';
import { KbinError } from '../errors.ts';
import { bitString, type Der, derNull, explicit, integer, oid, sequence, smallInteger, time } from './der.ts';
import { publicKeyBits } from './der-read.ts';
import { type ExtensionValues, encodeExtensions } from './extensions.ts';

export interface CertificateFields {
  /** 20 octets, top bit clear and not all zero. */
  readonly serial: Uint8Array;
  /** Names as DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Encoded already (SEQUENCE OF Extension) where a certificate has others than kbin's own. */
  readonly extensions: ExtensionValues | Uint8Array;
}

/** A v3 certificate, DER (RFC 5280 section 4.1), signed with a key of any type that kbin makes or imports. */
export function encodeCertificate(fields: CertificateFields, signingKey: KeyObject): Der {
  const scheme = signatureScheme(signingKey);
  const tbs = encodeTbs(fields, scheme.identifier);
  return sequence(tbs, scheme.identifier, bitString(sign(scheme.digest, tbs, signingKey)));
}

/** What is signed. `algorithm` is the AlgorithmIdentifier of the signature to come. */
export function encodeTbs(fields: CertificateFields, algorithm: Der): Der {
  return sequence(
    version3,
    integer(fields.serial),
    algorithm,
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.spki,
    explicit(
      3,
      fields.extensions instanceof Uint8Array ? fields.extensions : encodeExtensions(fields.extensions),
    ),
  );
}

const version3 = explicit(0, smallInteger(2));

export interface SignatureScheme {
  /** AlgorithmIdentifier. */
  readonly identifier: Der;
  /** null where the algorithm has a digest of its own. */
  readonly digest: string | null;
}

const ecdsa = (dotted: string, digest: string): SignatureScheme => ({
  identifier: sequence(oid(dotted)),
  digest,
});
const rsa = (dotted: string, digest: string): SignatureScheme => ({
  identifier: sequence(oid(dotted), derNull),
  digest,
});

/** By the curve's OpenSSL name. */
const ecdsaSchemes: Readonly<Record<string, SignatureScheme>> = {
  prime256v1: ecdsa('1.2.840.10045.4.3.2', 'sha256'),
  secp384r1: ecdsa('1.2.840.10045.4.3.3', 'sha384'),
  secp521r1: ecdsa('1.2.840.10045.4.3.4', 'sha512'),
};

const rsaSchemes = {
  sha256: rsa('1.2.840.113549.1.1.11', 'sha256'),
  sha384: rsa('1.2.840.113549.1.1.12', 'sha384'),
  sha512: rsa('1.2.840.113549.1.1.13', 'sha512'),
};

/** The digest grows with the key, as cfssl has it. Throws KbinError for a key that cannot sign certificates here. */
export function signatureScheme(key: KeyObject): SignatureScheme {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    const bits = details.modulusLength ?? 0;
    return rsaSchemes[bits >= 4096 ? 'sha512' : bits >= 3072 ? 'sha384' : 'sha256'];
  }
  const scheme =
    key.asymmetricKeyType === 'ec'
      ? ecdsaSchemes[details.namedCurve ?? '']
      : key.asymmetricKeyType === 'ed25519'
        ? { identifier: sequence(oid('1.3.101.112')), digest: null }
        : undefined;
  if (scheme !== undefined) return scheme;
  throw new KbinError(`a CA key of type ${details.namedCurve ?? key.asymmetricKeyType} cannot sign here`, {
    next: 'use a CA with an ECDSA (P-256, P-384, P-521), RSA or Ed25519 key',
  });
}

/** RFC 5280 section 4.2.1.2, method 1: SHA-1 of the public key's bits. */
export function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(publicKeyBits(spki)).digest();
}
