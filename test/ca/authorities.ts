import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { encodeCertificate, keyIdentifier } from '../../src/ca/encode.ts';
import { newSerial } from '../../src/ca/issue.ts';
import { encodeName } from '../../src/ca/names.ts';

export interface Wanted {
  readonly name: string;
  readonly by?: Made;
  /** undefined: a leaf. */
  readonly authority?: { readonly pathLength?: number };
  readonly sans?: readonly string[];
  /** Days from when this file was loaded. Default -1 and 365, of a CA 3000. */
  readonly from?: number;
  readonly to?: number;
  /** Another than its own, to sign with: then nothing verifies it. */
  readonly signedWith?: KeyObject;
}

export interface Made {
  readonly der: Buffer;
  readonly x509: X509Certificate;
  readonly subject: Buffer;
  readonly subjectKeyId: Buffer;
  readonly privateKey: KeyObject;
}

/** One for all: what ends after so many days ends with a CA that does. */
const now = Math.floor(Date.now() / 1000) * 1000;

/** A certificate with any place in a chain; without `by` it signs itself. */
export function make({ name, by, authority, sans = [], from = -1, signedWith, ...wanted }: Wanted): Made {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const { to = authority === undefined ? 365 : 3000 } = wanted;
  const subject = encodeName([{ type: 'CN', value: name }]);
  const subjectKeyId = keyIdentifier(spki);
  const at = (days: number) => new Date(now + days * 86_400_000);
  const der = encodeCertificate(
    {
      serial: newSerial(),
      issuer: by?.subject ?? subject,
      subject,
      notBefore: at(from),
      notAfter: at(to),
      spki,
      extensions: {
        usages:
          authority === undefined ? ['signing', 'server auth', 'client auth'] : ['cert sign', 'crl sign'],
        ...(authority === undefined ? {} : { authority }),
        subjectKeyId,
        ...(by === undefined ? {} : { authorityKeyId: by.subjectKeyId }),
        sans: sans.map((value) => ({ type: 'dns', value })),
      },
    },
    signedWith ?? by?.privateKey ?? privateKey,
  );
  return { der, x509: new X509Certificate(der), subject, subjectKeyId, privateKey };
}
