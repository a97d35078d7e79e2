import { type KeyObject, randomBytes } from 'node:crypto';
import type { San } from '../../pki/san.ts';
import type { Usage } from '../../pki/usages.ts';
import type { Subject } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import {
  type CertificateParts,
  extensionValue,
  type RawExtension,
  readAuthorityKeyIdentifier,
  readKeyIdentifier,
} from './certificate-parts.ts';
import { implicit, sequence } from './der.ts';
import { encodeCertificate, keyIdentifier } from './encode.ts';
import { encodeExtension, extensionOids } from './extensions.ts';
import { encodeName } from './names.ts';
import { pemText } from './pem.ts';

/** What a CA needs in order to sign. The names are copied from its certificate, never encoded anew. */
export interface Issuer {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly subject: Uint8Array;
  readonly subjectKeyId: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** What follows what it signs, PEM: itself and those above it, but for the root. Empty for a root. */
  readonly chain: string;
}

export interface CertificateRequest {
  /** Or DER, as it stands in a request. */
  readonly subject: Subject | Uint8Array;
  readonly usages: readonly Usage[];
  readonly sans: readonly San[];
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  readonly validityHours: number;
  readonly now: Date;
}

export interface Issued {
  readonly der: Buffer;
  /** Followed by the issuer's chain. */
  readonly pem: string;
  readonly notAfter: Date;
  /** It was to be valid for longer, but ends with its CA. */
  readonly clamped: boolean;
}

const backdateMs = 5 * 60_000;
const hourMs = 3_600_000;
/** RFC 5280 section 4.1.2.5: GeneralizedTime has four digits for the year. */
const endOfTime = new Date('9999-12-31T23:59:59Z');

/** A certificate signed by `issuer`, never valid before or after it. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): Issued {
  const wanted = validity(request);
  const clamped = wanted.notAfter > issuer.notAfter;
  const notAfter = clamped ? issuer.notAfter : wanted.notAfter;
  const der = encodeCertificate(
    {
      serial: newSerial(),
      issuer: issuer.subject,
      subject: request.subject instanceof Uint8Array ? request.subject : encodeName(request.subject),
      notBefore: wanted.notBefore < issuer.notBefore ? issuer.notBefore : wanted.notBefore,
      notAfter,
      spki: request.spki,
      extensions: {
        usages: request.usages,
        subjectKeyId: keyIdentifier(request.spki),
        authorityKeyId: issuer.subjectKeyId,
        sans: request.sans,
      },
    },
    issuer.privateKey,
  );
  return { der, pem: pemText('CERTIFICATE', der) + issuer.chain, notAfter, clamped };
}

/** A CA that signs itself, and what it takes to sign with it. */
export function issueAuthority(
  request: Omit<CertificateRequest, 'sans' | 'subject'> & { readonly subject: Subject },
  privateKey: KeyObject,
): Issued & { readonly issuer: Issuer } {
  const { notBefore, notAfter } = validity(request);
  const subject = encodeName(request.subject);
  const subjectKeyId = keyIdentifier(request.spki);
  const der = encodeCertificate(
    {
      serial: newSerial(),
      issuer: subject,
      subject,
      notBefore,
      notAfter,
      spki: request.spki,
      extensions: { usages: request.usages, authority: {}, subjectKeyId, sans: [] },
    },
    privateKey,
  );
  const issuer = { privateKey, subject, subjectKeyId, notBefore, notAfter, chain: '' };
  return { der, pem: pemText('CERTIFICATE', der), notAfter, clamped: false, issuer };
}

/**
 * A CA that signs itself, with another serial and for another time: all that it has signed goes on chaining to it, since
 * its name, its key and its key identifier are copied as they stand, as is all else that it says.
 */
export function renewAuthority(
  former: CertificateParts,
  span: Pick<CertificateRequest, 'now' | 'validityHours'>,
  privateKey: KeyObject,
): Issued & { readonly issuer: Issuer } {
  const { subject, spki } = former;
  const { notBefore } = validity(span);
  const notAfter = renewedEnd(former, span);
  const extensions = sequence(
    ...former.extensions
      .flatMap(ofNoSerial)
      .map(({ oid, critical, value }) => encodeExtension(oid, critical, value)),
  );
  const fields = { serial: newSerial(), issuer: subject, subject, notBefore, notAfter, spki, extensions };
  const der = encodeCertificate(fields, privateKey);
  const own = readKeyIdentifier(extensionValue(former, extensionOids.subjectKeyId));
  const issuer = {
    privateKey,
    subject,
    subjectKeyId: own ?? keyIdentifier(spki),
    notBefore,
    notAfter,
    chain: '',
  };
  return { der, pem: pemText('CERTIFICATE', der), notAfter, clamped: false, issuer };
}

/** Never earlier than it was: what it has signed may last until then. */
export function renewedEnd(
  { notAfter }: Pick<CertificateParts, 'notAfter'>,
  span: Pick<CertificateRequest, 'now' | 'validityHours'>,
): Date {
  const wanted = validity(span).notAfter;
  return wanted < notAfter ? notAfter : wanted;
}

/** openssl may have a CA name the serial of the one that signed it: its own, which is another one now. */
function ofNoSerial(extension: RawExtension): RawExtension[] {
  if (extension.oid !== extensionOids.authorityKeyId) return [extension];
  const id = readAuthorityKeyIdentifier(extension.value);
  return id === undefined ? [] : [{ ...extension, value: sequence(implicit(0, id)) }];
}

/** Backdated so that a host whose clock is a little behind accepts it at once. Whole seconds, as certificates have. */
function validity({ now, validityHours }: Pick<CertificateRequest, 'now' | 'validityHours'>): {
  notBefore: Date;
  notAfter: Date;
} {
  const seconds = Math.floor(now.getTime() / 1000) * 1000;
  const notAfter = new Date(seconds + validityHours * hourMs);
  if (!(notAfter <= endOfTime)) {
    throw new KbinError(`a validity of ${validityHours} hours ends after the year 9999`, {
      next: 'choose a shorter pki.validity in cluster.yaml',
    });
  }
  return { notBefore: new Date(seconds - backdateMs), notAfter };
}

/** 20 octets, the most that RFC 5280 section 4.1.2.2 allows, top bit clear so that they stay 20 as a positive integer. */
export function newSerial(): Buffer {
  const serial = randomBytes(20);
  // The first octet is never 0 either: then all serials are equally long, and none is zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}
