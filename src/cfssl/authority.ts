import { type KeyObject, X509Certificate } from 'node:crypto';
import {
  type CertificateParts,
  certificateParts,
  extensionValue,
  readBasicConstraints,
  readKeyIdentifier,
} from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { readPrivateKey } from '../ca/keys.ts';
import { pemBlocks } from '../ca/pem.ts';
import { exitCode, KbinError } from '../errors.ts';
import { spkiOf } from './key.ts';
import { readable } from './readable.ts';

/** A CA: its certificate, and the key that belongs to it. */
export interface Authority {
  readonly parts: CertificateParts;
  readonly key: KeyObject;
  readonly subjectKeyId?: Buffer;
  /** undefined: its certificate is not that of a CA. */
  readonly constraints?: { readonly pathLength?: number };
}

/** A text, and what it is called in errors. */
export interface Input {
  readonly text: string;
  readonly name: string;
}

const labels = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];

/** The one certificate of a PEM text; like cfssl, never a guess which of several is meant. */
export function oneCertificate({ text, name }: Input): CertificateParts {
  const blocks = pemBlocks(text, name);
  const [block, ...more] = blocks;
  if (block === undefined || more.length > 0 || !labels.includes(block.label)) {
    throw new KbinError(`${name} is not one certificate`, {
      why:
        block === undefined ? 'it holds no PEM' : `it holds: ${blocks.map(({ label }) => label).join(', ')}`,
      next: 'give a PEM file with one certificate in it and nothing else',
      exit: exitCode.usage,
    });
  }
  return readCertificate(block.der, name);
}

/** Read by OpenSSL too: what it does not take for a certificate is none. */
export function readCertificate(der: Buffer, name: string): CertificateParts {
  try {
    new X509Certificate(der);
    return certificateParts(der);
  } catch (cause) {
    throw new KbinError(`${name} is not a certificate that can be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'restore the file from a backup, or look at it with "openssl x509 -text"',
      cause,
    });
  }
}

/** Any private key that cfssl writes or reads; Ed25519 ones have a label of cfssl's own. */
export function readKey({ text, name }: Input, passphrase: string | undefined): KeyObject {
  const reading = readPrivateKey(
    text.replaceAll(/(BEGIN|END) Ed25519 PRIVATE KEY/g, '$1 PRIVATE KEY'),
    passphrase,
  );
  if (reading.state === 'read') return reading.key;
  throw new KbinError(`${name} cannot be read as a private key`, {
    why:
      reading.state === 'encrypted'
        ? 'it is encrypted, and the passphrase is missing or wrong'
        : reading.reason,
    next:
      reading.state === 'encrypted'
        ? 'set $CFSSL_CA_PK_PASSWORD or $KBIN_CA_PASSPHRASE'
        : 'give an unencrypted PEM file: PKCS #8, SEC 1 or PKCS #1',
    exit: exitCode.usage,
  });
}

export function readAuthority(certificate: Input, key: Input, passphrase: string | undefined): Authority {
  const parts = oneCertificate(certificate);
  const privateKey = readKey(key, passphrase);
  if (!spkiOf(privateKey).equals(parts.spki)) {
    throw new KbinError(`${key.name} is not the key of ${certificate.name}`, {
      why: 'they are two different keys',
      next: 'give the key that belongs to the certificate',
      exit: exitCode.usage,
    });
  }
  return readable(certificate.name, () => {
    const subjectKeyId = readKeyIdentifier(extensionValue(parts, extensionOids.subjectKeyId));
    const constraints = readBasicConstraints(extensionValue(parts, extensionOids.basicConstraints));
    return {
      parts,
      key: privateKey,
      ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
      ...(constraints === undefined ? {} : { constraints }),
    };
  });
}
