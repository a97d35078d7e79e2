import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { KbinError } from '../errors.ts';
import { algorithmOid, type RawExtension, readExtensions } from './certificate-parts.ts';
import { bitString, type Der, explicit, oid, sequence, set, smallInteger } from './der.ts';
import { children, firstElement, readOid } from './der-read.ts';
import { signatureScheme } from './encode.ts';
import { pemBlocks } from './pem.ts';

const extensionRequest = '1.2.840.113549.1.9.14';

/** A certificate request, DER (PKCS #10, RFC 2986). `subject` and `spki` are DER, `extensions` one element each. */
export function encodeRequest(
  { subject, spki, extensions }: { subject: Uint8Array; spki: Uint8Array; extensions: readonly Der[] },
  key: KeyObject,
): Der {
  const asked =
    extensions.length === 0 ? [] : [sequence(oid(extensionRequest), set(sequence(...extensions)))];
  const info = sequence(smallInteger(0), subject, spki, explicit(0, ...asked));
  const scheme = signatureScheme(key);
  return sequence(info, scheme.identifier, bitString(sign(scheme.digest, info, key)));
}

/** A request taken apart; whoever asks holds the key. */
export interface ReadRequest {
  readonly der: Buffer;
  readonly info: Buffer;
  /** DER. */
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly RawExtension[];
  /** Object identifier, and the bits. */
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
}

const labels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/**
 * The one request of a PEM text. Throws KbinError when there is none or more than one, when it cannot be read, or when
 * it is not signed with the key that it is about. `source` names the text in errors.
 */
export function readRequest(pem: string, source: string): ReadRequest {
  const [block, ...more] = pemBlocks(pem, source);
  if (block === undefined || more.length > 0 || !labels.includes(block.label)) {
    throw new KbinError(`${source} is not one certificate request`, {
      why: block === undefined ? 'it holds no PEM' : `it holds ${[block, ...more].map(({ label }) => label)}`,
      next: 'give a file with one "-----BEGIN CERTIFICATE REQUEST-----" in it',
    });
  }
  let valid: boolean;
  let request: ReadRequest;
  try {
    request = takeApart(block.der);
    valid = isSigned(request);
  } catch (cause) {
    throw new KbinError(`${source} is not a certificate request that can be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'make the request anew, or look at it with "openssl req -text"',
      cause,
    });
  }
  if (valid) return request;
  throw new KbinError(`${source} is not signed with its own key`, {
    why: 'the request was changed after it was signed, or its maker does not hold the key',
    next: 'make the request anew',
  });
}

/** By object identifier; null: the algorithm has a digest of its own. The type of key that goes with it. */
const schemes: Readonly<Record<string, { readonly key: string; readonly digest: string | null }>> = {
  '1.2.840.113549.1.1.5': { key: 'rsa', digest: 'sha1' },
  '1.2.840.113549.1.1.11': { key: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.1': { key: 'ec', digest: 'sha1' },
  '1.2.840.10045.4.3.2': { key: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', digest: 'sha512' },
  '1.3.101.112': { key: 'ed25519', digest: null },
};

/** Synchronous: WebCrypto's way to a thread and back costs more than the arithmetic. */
function isSigned({ info, publicKey, signatureAlgorithm, signature }: ReadRequest): boolean {
  const scheme = schemes[signatureAlgorithm];
  if (scheme === undefined || scheme.key !== publicKey.asymmetricKeyType) {
    throw new RangeError(
      `a signature of type ${signatureAlgorithm} with a key of type ${publicKey.asymmetricKeyType}`,
    );
  }
  return verify(scheme.digest, info, publicKey, signature);
}

/** Throws RangeError when it is not built like a request; its signature is not looked at. */
export function takeApart(der: Buffer): ReadRequest {
  const whole = firstElement(der);
  if (whole.whole.length !== der.length) throw new RangeError('DER: something follows the request');
  const [info, algorithm, signature] = children(whole.content);
  if (info?.tag !== 0x30 || algorithm?.tag !== 0x30 || signature?.tag !== 0x03)
    throw new RangeError('DER: not a request');
  const [version, subject, spki, attributes] = children(info.content);
  if (version?.tag !== 0x02 || subject === undefined || spki === undefined)
    throw new RangeError('DER: not a request');
  return {
    der,
    info: info.whole,
    subject: subject.whole,
    spki: spki.whole,
    publicKey: createPublicKey({ key: spki.whole, type: 'spki', format: 'der' }),
    extensions: askedFor(attributes?.content ?? Buffer.alloc(0)),
    signatureAlgorithm: algorithmOid(algorithm),
    signature: signature.content.subarray(1),
  };
}

function askedFor(attributes: Buffer): RawExtension[] {
  const found = children(attributes).flatMap((attribute) => {
    const [type, values] = children(attribute.content);
    if (type?.tag !== 0x06 || values === undefined) throw new RangeError('DER: a malformed attribute');
    return readOid(type.content) === extensionRequest
      ? children(values.content).flatMap((extensions) => readExtensions(extensions))
      : [];
  });
  const twice = found.find(
    ({ oid: type }, index) => found.findIndex(({ oid: other }) => other === type) < index,
  );
  if (twice !== undefined) throw new RangeError(`the extension ${twice.oid} is there twice`);
  return found;
}
