import { createPublicKey } from 'node:crypto';
import { certificateParts, type RawExtension } from '../../src/ca/certificate-parts.ts';
import { extensionOids } from '../../src/ca/extensions.ts';
import { algorithmOf } from '../../src/ca/keys.ts';
import { pemBlocks } from '../../src/ca/pem.ts';
import { readRequest } from '../../src/ca/request.ts';

/** All that two certificates made of the same input must agree on, with every encoding: only keys, serial and clock differ. */
export function certificateFacts(pem: string): object {
  const { serial, signatureAlgorithm, subject, issuer, spki, notBefore, notAfter, extensions } =
    certificateParts(pemBlocks(pem, 'the certificate')[0]?.der ?? Buffer.alloc(0));
  return {
    signatureAlgorithm,
    subject: subject.toString('hex'),
    issuer: issuer.toString('hex'),
    key: algorithmOf(createPublicKey({ key: spki, type: 'spki', format: 'der' })),
    seconds: (notAfter.getTime() - notBefore.getTime()) / 1000,
    // Of 20 random octets the first few may be zero.
    serialIsLong: serial.length > 16 && serial.length <= 20,
    extensions: extensions.map(hex),
  };
}

/** In their order; of a key identifier, which follows from the key, only its length. */
function hex({ oid, critical, value }: RawExtension): object {
  const shown = oid === extensionOids.subjectKeyId ? `${value.length} octets` : value.toString('hex');
  return { oid, critical, value: shown };
}

/** When it begins: both run within the same minute, or in two that follow each other. */
export function beginning(pem: string): number {
  return certificateParts(pemBlocks(pem, 'the certificate')[0]?.der ?? Buffer.alloc(0)).notBefore.getTime();
}

export async function requestFacts(pem: string): Promise<object> {
  const { subject, publicKey, extensions, signatureAlgorithm } = readRequest(pem, 'the request');
  return {
    subject: subject.toString('hex'),
    key: algorithmOf(publicKey),
    signatureAlgorithm,
    extensions: extensions.map(hex),
  };
}
