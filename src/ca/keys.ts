import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generateAsynchronously,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type KeyAlgorithm, keyAlgorithms } from '../cluster/cluster.ts';
import { isEndless } from './derivation-cost.ts';

export interface KeyPair {
  /** PKCS#8, PEM. */
  readonly pem: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

const curves = { 'ecdsa-p256': 'P-256', 'ecdsa-p384': 'P-384' } as const;
const moduli = { 'rsa-2048': 2048, 'rsa-3072': 3072, 'rsa-4096': 4096 } as const;

/**
 * An RSA key takes tens of milliseconds on another thread: start all that are needed at once, and every core is busy. An
 * elliptic-curve key takes less time than the way to a thread and back.
 */
export async function generateKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  if (algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384') {
    const pair = generateKeyPairSync('ec', { namedCurve: curves[algorithm], ...encodings });
    return { pem: pair.privateKey, spki: pair.publicKey };
  }
  const pair = await generateRsa('rsa', { modulusLength: moduli[algorithm], ...encodings });
  return { pem: pair.privateKey, spki: pair.publicKey };
}

/** A key of any size that OpenSSL makes, for those who ask for one by type and size. */
export async function generateKey(
  kind: { readonly type: 'rsa'; readonly bits: number } | { readonly type: 'ec'; readonly curve: string },
): Promise<KeyObject> {
  if (kind.type === 'ec') return generateKeyPairSync('ec', { namedCurve: kind.curve }).privateKey;
  return (await generateRsa('rsa', { modulusLength: kind.bits })).privateKey;
}

const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const;

const generateRsa = promisify(generateAsynchronously);

/** SubjectPublicKeyInfo, DER, of a private key: equal to a certificate's when the two belong together. */
export function publicPartOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
}

export function publicKeyPem(spki: Buffer): string {
  return createPublicKey({ key: spki, type: 'spki', format: 'der' }).export({
    type: 'spki',
    format: 'pem',
  }) as string;
}

/** `ecdsa-p256`, or a name for what kbin does not make itself: `ecdsa-p521`, `rsa-1024`, `ed25519`. */
export function algorithmOf(key: KeyObject): KeyAlgorithm | string {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = details?.namedCurve ?? 'unknown curve';
      return `ecdsa-${nistNames[curve] ?? curve}`;
    }
    case 'rsa':
      return `rsa-${details?.modulusLength}`;
    default:
      return key.asymmetricKeyType ?? key.type;
  }
}

/** OpenSSL's names of the curves. */
const nistNames: Readonly<Record<string, string>> = {
  prime256v1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
};

export function isKeyAlgorithm(name: string): name is KeyAlgorithm {
  return (keyAlgorithms as readonly string[]).includes(name);
}

/** PKCS#8, PEM: as a key that was encrypted in pki/ is written to a host. */
export function plainPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** What became of reading a private key; the reason never quotes the key. */
export type PrivateKeyReading =
  | { readonly state: 'read'; readonly key: KeyObject }
  | { readonly state: 'encrypted'; readonly reason: string }
  | { readonly state: 'malformed'; readonly reason: string };

/** PKCS#8, or the older form with a header that says so. */
export function isEncrypted(pem: string): boolean {
  return /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: ?4, ?ENCRYPTED/m.test(pem);
}

/** PKCS#8, SEC 1 or PKCS#1, PEM; encrypted ones with the passphrase. */
export function readPrivateKey(pem: string, passphrase: string | undefined): PrivateKeyReading {
  const encrypted = isEncrypted(pem);
  if (encrypted && passphrase === undefined) {
    return { state: 'encrypted', reason: 'it is encrypted, and there is no passphrase' };
  }
  if (encrypted && isEndless(pem)) {
    return {
      state: 'malformed',
      reason: 'its passphrase would have to be hashed for longer than anybody waits',
    };
  }
  try {
    const key = createPrivateKey(
      encrypted && passphrase !== undefined ? { key: pem, format: 'pem', passphrase } : pem,
    );
    return { state: 'read', key };
  } catch {
    return encrypted
      ? { state: 'encrypted', reason: 'it is encrypted, and the passphrase does not open it' }
      : { state: 'malformed', reason: 'it holds no private key that can be read' };
  }
}
