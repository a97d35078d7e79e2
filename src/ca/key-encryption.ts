import { createCipheriv, createPrivateKey, randomBytes, scryptSync } from 'node:crypto';
import { KbinError } from '../errors.ts';
import { octetString, oid, sequence, smallInteger } from './der.ts';
import { pemText } from './pem.ts';

/**
 * scrypt's cost is as high as OpenSSL opens without being told: it takes no more than 32 MiB for one key (16 MiB are
 * used here), so more than that lies in `parallel`. About a fifth of a second.
 */
const scrypt = { cost: 16_384, blockSize: 8, parallel: 5 } as const;

/** PEM_BUFSIZE of OpenSSL, which would cut what is longer. */
const longest = 1024;

/**
 * A private key (PEM) as EncryptedPrivateKeyInfo, PEM: PKCS #8 (RFC 5958), PBES2 with AES-256-CBC (RFC 8018) and scrypt
 * (RFC 7914). `openssl pkey -in FILE` opens it. Throws KbinError for a passphrase that cannot be one.
 */
export function encryptKey(pem: string, passphrase: string): string {
  checkPassphrase(passphrase);
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const { cost, blockSize, parallel } = scrypt;
  const secret = scryptSync(passphrase, salt, 32, { cost, blockSize, parallelization: parallel });
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const plain = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const numbers = [smallInteger(cost), smallInteger(blockSize), smallInteger(parallel)];
  const derivation = sequence(oid(oids.scrypt), sequence(octetString(salt), ...numbers));
  const encryption = sequence(oid(oids.aes256Cbc), octetString(iv));
  const scheme = sequence(oid(oids.pbes2), sequence(derivation, encryption));
  return pemText('ENCRYPTED PRIVATE KEY', sequence(scheme, octetString(encrypted)));
}

const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
};

/** Throws KbinError when no key can be encrypted with it, or none that was could be opened everywhere. */
export function checkPassphrase(passphrase: string): void {
  const why =
    passphrase === ''
      ? 'it is empty'
      : Buffer.byteLength(passphrase) > longest
        ? `it is longer than ${longest} bytes`
        : /[\r\n\0]/.test(passphrase)
          ? 'it has a line break or a zero byte in it'
          : undefined;
  if (why === undefined) return;
  throw new KbinError('this cannot be the passphrase of the CA keys', { why, next: 'choose another one' });
}
