import type { KeyObject } from 'node:crypto';
import { encodeCertificate, keyIdentifier } from '../ca/encode.ts';
import { newSerial } from '../ca/issue.ts';
import { pemText } from '../ca/pem.ts';
import { builtInProfile, type SigningProfile } from './config.ts';
import { encodeCertificateExtensions } from './extensions.ts';
import type { Asked } from './make-request.ts';
import { noUsages } from './sign.ts';
import { encodeSubject, issuedSubject } from './subject.ts';
import { backdated, checkedSpan } from './validity.ts';

/** Three months, as cfssl has it for certificates that are for trying things. */
export const selfSignProfile: SigningProfile = { ...builtInProfile, expiry: 2190 * 3_600_000 };

/** A certificate, PEM, that nobody vouches for. To the second, and of the profile only usages, CA, expiry and issuer. */
export function selfSign(asked: Asked, key: KeyObject, profile: SigningProfile, now: Date): string {
  if (profile.usages.length === 0) throw noUsages(profile);
  const subject = issuedSubject(asked.subject);
  const name = encodeSubject(subject);
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const der = encodeCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      ...checkedSpan(new Date(second - backdated), new Date(second + profile.expiry)),
      spki: asked.spki,
      extensions: encodeCertificateExtensions({
        usages: profile.usages,
        ...(profile.authority === undefined ? {} : { authority: {} }),
        subjectKeyId: keyIdentifier(asked.spki),
        sans: asked.sans,
        hasSubject: subject.length > 0,
        ocspUrls: [],
        issuerUrls: profile.issuerUrls ?? [],
        crlUrls: [],
        policies: [],
        ocspNoCheck: false,
        copied: [],
      }),
    },
    key,
  );
  return pemText('CERTIFICATE', der);
}
