import { isDeepStrictEqual } from 'node:util';
import type { San } from '../../pki/san.ts';
import { encodeCertificate, keyIdentifier } from '../ca/encode.ts';
import { extensionOids } from '../ca/extensions.ts';
import { newSerial } from '../ca/issue.ts';
import { pemText } from '../ca/pem.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { Authority } from './authority.ts';
import type { SigningConfig, SigningProfile } from './config.ts';
import { encodeCertificateExtensions } from './extensions.ts';
import { hostSans, inOrder } from './hosts.ts';
import type { Remarks } from './json.ts';
import type { Asked } from './make-request.ts';
import {
  commonName,
  encodeSubject,
  issuedSubject,
  overriddenSubject,
  type RawSubject,
  type Subject,
} from './subject.ts';
import { validity } from './validity.ts';

export interface SigningOrder {
  readonly asked: Asked;
  readonly profile: SigningProfile;
  readonly config: SigningConfig | undefined;
  readonly now: Date;
  /** In place of the names that the request asks for. */
  readonly hosts?: readonly string[];
  /** Over what the request asks for. */
  readonly subject?: RawSubject;
}

/** A certificate, PEM, for what is asked for as far as the profile allows. */
export function signCertificate(order: SigningOrder, authority: Authority, remarks: Remarks): string {
  const { profile, config, now } = order;
  checkAuthority(order, authority, remarks);
  if (profile.usages.length === 0) throw noUsages(profile);
  const { subject, sans, copied, spki } = granted(order, remarks);
  const span = validity(profile, now);
  if (span.notAfter > authority.parts.notAfter) {
    const [own, its] = [span.notAfter, authority.parts.notAfter].map((date) =>
      date?.toISOString().slice(0, 10),
    );
    remarks.push(
      `the certificate is valid until ${own} and outlives its CA (${its}): nobody will trust it for longer`,
    );
  }
  const base = config?.default;
  const crlUrl = profile.crlUrl || base?.crlUrl;
  const ocspUrl = profile.ocspUrl || base?.ocspUrl;
  const encoded = encodeSubject(subject);
  const isSameName = encoded.equals(authority.parts.subject);
  if (isSameName)
    remarks.push('the certificate has the subject of its CA: clients may take it for the CA itself');
  const der = encodeCertificate(
    {
      serial: newSerial(),
      issuer: authority.parts.subject,
      subject: encoded,
      ...span,
      spki,
      extensions: encodeCertificateExtensions({
        usages: profile.usages,
        ...(profile.authority === undefined ? {} : { authority: profile.authority }),
        subjectKeyId: keyIdentifier(spki),
        // As Go does: what bears its issuer's name is taken for one that signs itself.
        ...(authority.subjectKeyId === undefined || isSameName
          ? {}
          : { authorityKeyId: authority.subjectKeyId }),
        sans,
        hasSubject: subject.length > 0,
        ocspUrls: ocspUrl ? [ocspUrl] : [],
        issuerUrls: profile.issuerUrls ?? base?.issuerUrls ?? [],
        crlUrls: crlUrl ? [crlUrl] : [],
        policies: profile.policies,
        ocspNoCheck: profile.ocspNoCheck,
        copied,
      }),
    },
    authority.key,
  );
  return pemText('CERTIFICATE', der);
}

/** What of the request goes into the certificate. */
function granted(
  { asked, profile, hosts, subject }: SigningOrder,
  remarks: Remarks,
): Pick<Asked, 'sans' | 'spki' | 'subject'> & { copied: Asked['extensions'] } {
  const allowed = profile.copied;
  if (allowed?.publicKey === false) {
    throw new KbinError(`the profile "${profile.name}" does not copy the public key of a request`, {
      next: 'set "PublicKey" in its "CSRWhitelist" to true: without it nothing can be signed',
      exit: exitCode.usage,
    });
  }
  const copied =
    profile.copyExtensions && allowed === undefined
      ? asked.extensions.filter(({ oid }) => oid !== extensionOids.basicConstraints)
      : [];
  const requested = allowed === undefined ? asked.sans : asked.sans.filter(({ type }) => allowed[type]);
  const own = hosts === undefined ? undefined : hostSans(hosts, '-hostname', remarks);
  const copiesNames = copied.some(({ oid }) => oid === extensionOids.subjectAltName);
  if (own !== undefined && copiesNames && !isDeepStrictEqual(own, inOrder(asked.sans))) {
    remarks.push('the names are those of the request, not of -hostname: the profile has "copy_extensions"');
  }
  const named = inOrder(own ?? requested);
  // Go's own habit for CAs, and nobody looks for names in them.
  const sans = profile.authority === undefined ? named : named.filter(({ type }) => type === 'ip');
  if (profile.usages.includes('server auth') && sans.length === 0 && !copiesNames) {
    remarks.push(
      'the certificate is for a server and names no host: no client will accept it. Give it "hosts", or -hostname',
    );
  }
  const from: Subject = allowed === undefined || allowed.subject ? asked.subject : [];
  const issued = subject === undefined ? issuedSubject(from) : overriddenSubject(subject, from);
  // All that are asked for, those too that a CA does not get.
  checkNames(profile, issued, named);
  return { sans, copied, spki: asked.spki, subject: issued };
}

/** cfssl looks at what the request asks for, never at what the profile gives. */
function checkAuthority(
  { asked, profile }: SigningOrder,
  { constraints }: Authority,
  remarks: Remarks,
): void {
  const limit = constraints?.pathLength;
  if (asked.authority !== undefined && profile.copied === undefined) {
    const refuse = (why: string, next: string): never => {
      throw new KbinError('the request asks to be a CA, and is refused', { why, next, exit: exitCode.usage });
    };
    if (profile.authority === undefined) {
      refuse(
        `the profile "${profile.name}" does not make CAs`,
        'take a profile with "ca_constraint": {"is_ca": true}',
      );
    }
    if (limit === 0)
      refuse('the path length of the CA is 0: it may sign no other CA', 'sign with another CA');
    if (limit !== undefined && limit > 0 && (asked.authority.pathLength ?? -1) >= limit) {
      refuse(`it asks for a path length that is not below ${limit}, the CA's own`, 'ask for a shorter one');
    }
  } else if (profile.authority !== undefined && limit === 0) {
    remarks.push('the path length of the CA is 0: nobody will trust the CA that is made here');
  }
  if (constraints === undefined) {
    remarks.push('the certificate given with -ca is not that of a CA: nobody will trust what it signs');
  }
}

function checkNames({ name, mayName }: SigningProfile, subject: Subject, sans: readonly San[]): void {
  if (mayName === undefined) return;
  const common = commonName(subject);
  const names = [
    ...(common === '' ? [] : [common]),
    ...sans.flatMap(({ type, value }) => (type === 'ip' ? [] : [value])),
  ];
  const refused = names.filter((one) => !mayName(one));
  if (refused.length === 0) return;
  throw new KbinError(`the profile "${name}" does not allow ${refused.map((one) => `"${one}"`).join(', ')}`, {
    why: 'its "name_whitelist" does not match',
    next: 'ask for other names, or change the profile',
    exit: exitCode.usage,
  });
}

export function noUsages({ name }: SigningProfile): KbinError {
  return new KbinError(`the profile "${name}" has no usages`, {
    why: 'a certificate without a usage is good for nothing',
    next: 'give it "usages", or take another profile with -profile',
    exit: exitCode.usage,
  });
}
