import type { KeyObject } from 'node:crypto';
import { type CertificateParts, extensionValue, readBasicConstraints } from '../ca/certificate-parts.ts';
import { encodeCertificate, keyIdentifier } from '../ca/encode.ts';
import { extensionOids } from '../ca/extensions.ts';
import { newSerial } from '../ca/issue.ts';
import { pemText } from '../ca/pem.ts';
import { readSans } from '../ca/san-read.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { parseDuration } from './duration.ts';
import { encodeCertificateExtensions } from './extensions.ts';
import type { Remarks } from './json.ts';
import { spkiOf } from './key.ts';
import { makeRequest } from './make-request.ts';
import { readable } from './readable.ts';
import { encodeSubject, issuedSubject } from './subject.ts';
import { validity } from './validity.ts';

/** Five years, whatever the profiles for leaves say. */
const defaultExpiry = 43_800 * 3_600_000;

interface Made {
  readonly certificate: string;
  readonly request: string;
}

/** A CA that signs itself with `key`, as a CSR file wants it. */
export function initAuthority(
  request: CertificateRequest,
  key: KeyObject,
  { source, now, remarks }: { readonly source: string; readonly now: Date; readonly remarks: Remarks },
): Made {
  if (!isNamed(request)) {
    throw new KbinError(`${source} gives the CA no name`, { next: 'give it a "CN"', exit: exitCode.usage });
  }
  const { asked, hosts, pem } = makeRequest(request, key, source, remarks);
  const { ca = {} } = request;
  const expiry = ca.expiry ? parseDuration(ca.expiry, `${source}: ca.expiry`) : defaultExpiry;
  const backdate = ca.backdate ? parseDuration(ca.backdate, `${source}: ca.backdate`) : 0;
  const sans = hosts.length === 0 ? asked.sans : hosts;
  if (sans.some(({ type }) => type !== 'ip')) {
    remarks.push(`${source}: hosts: only IP addresses get into the certificate of a CA`);
  }
  const subject = issuedSubject(asked.subject);
  const der = selfSigned(key, encodeSubject(subject), validity({ expiry, backdate }, now), {
    authority: asked.authority ?? {},
    sans: sans.filter(({ type }) => type === 'ip'),
    crlUrls: request.crl_url ? [request.crl_url] : [],
  });
  return { certificate: pemText('CERTIFICATE', der), request: pem };
}

/**
 * The same CA for as long again, from now on: name, key and key identifier stay, so that all it has signed still chains
 * to it. The subject is copied as it stands (cfssl drops what it does not know of it, and breaks the chain).
 */
export function renewAuthority(parts: CertificateParts, key: KeyObject, now: Date): string {
  const [authority, sans] = readable('the certificate of the CA', () => [
    readBasicConstraints(extensionValue(parts, extensionOids.basicConstraints)),
    readSans(extensionValue(parts, extensionOids.subjectAltName)),
  ]);
  if (authority === undefined) {
    throw new KbinError('the certificate given with -ca is not that of a CA', {
      next: 'give the certificate of the CA that is to be renewed',
      exit: exitCode.usage,
    });
  }
  const expiry = parts.notAfter.getTime() - parts.notBefore.getTime();
  const der = selfSigned(key, parts.subject, validity({ expiry, backdate: 0 }, now), {
    authority,
    sans: sans.filter(({ type }) => type === 'ip'),
    crlUrls: [],
  });
  return pemText('CERTIFICATE', der);
}

function selfSigned(
  key: KeyObject,
  subject: Uint8Array,
  span: ReturnType<typeof validity>,
  own: Pick<Parameters<typeof encodeCertificateExtensions>[0], 'authority' | 'sans' | 'crlUrls'>,
): Buffer {
  const spki = spkiOf(key);
  return encodeCertificate(
    {
      serial: newSerial(),
      issuer: subject,
      subject,
      ...span,
      spki,
      extensions: encodeCertificateExtensions({
        ...own,
        usages: ['cert sign', 'crl sign'],
        subjectKeyId: keyIdentifier(spki),
        hasSubject: true,
        ocspUrls: [],
        issuerUrls: [],
        policies: [],
        ocspNoCheck: false,
        copied: [],
      }),
    },
    key,
  );
}

function isNamed({ CN = '', names = [] }: CertificateRequest): boolean {
  if (CN !== '') return true;
  return (
    names.length > 0 &&
    names.every(({ C, ST, L, O, OU }) => [C, ST, L, O, OU].some((value) => (value ?? '').trim() !== ''))
  );
}
