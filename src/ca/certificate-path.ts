import type { X509Certificate } from 'node:crypto';
import { certificateParts, extensionValue, readBasicConstraints } from './certificate-parts.ts';
import { isIssuedBy, isRoot } from './chain.ts';
import { extensionOids } from './extensions.ts';

/** A CA that is known by name: `etcd-ca`, `next/etcd-ca`, or the file it lies in. */
export interface KnownAuthority {
  readonly name: string;
  readonly certificate: X509Certificate;
}

export interface Path {
  /** The known CA that it leads to; undefined where it leads to none. */
  readonly anchor?: KnownAuthority;
  /** What signed it: a certificate that was sent along, or the known CA; undefined where neither did. */
  readonly issuer?: X509Certificate;
  /** Those between it and the known CA. */
  readonly between: readonly X509Certificate[];
  /** Why the CA above must not have signed what is below, in a clause. */
  readonly fault?: string;
}

/**
 * From a certificate to a known CA, through those that were sent along with it (RFC 5280 section 6.1, as far as names,
 * key identifiers, signatures, basicConstraints and path lengths go). A known CA leads to itself.
 */
export function pathOf(
  certificate: X509Certificate,
  sent: readonly X509Certificate[],
  authorities: readonly KnownAuthority[],
): Path {
  const itself = authorities.find((known) => known.certificate.raw.equals(certificate.raw));
  if (itself !== undefined) {
    return { anchor: itself, between: [], ...(isRoot(certificate) ? { issuer: certificate } : {}) };
  }
  const steps: X509Certificate[] = [];
  for (let last = certificate; ; ) {
    const below = last;
    const anchor = authorities.find((known) => isIssuedBy(below, known.certificate));
    const [first] = steps;
    if (anchor !== undefined) {
      const fault = faultOf([...steps, anchor.certificate]);
      return {
        anchor,
        between: steps,
        issuer: first ?? anchor.certificate,
        ...(fault === undefined ? {} : { fault }),
      };
    }
    const next = sent.find((one) => !steps.includes(one) && one !== certificate && isIssuedBy(below, one));
    if (next === undefined) return { between: steps, ...(first === undefined ? {} : { issuer: first }) };
    steps.push(next);
    last = next;
  }
}

/** `above`: from the one that signed the leaf to the known CA. */
function faultOf(above: readonly X509Certificate[]): string | undefined {
  for (const [below, authority] of above.entries()) {
    const name = authority.subject.replaceAll('\n', ', ');
    const value = extensionValue(certificateParts(authority.raw), extensionOids.basicConstraints);
    const constraints = readBasicConstraints(value);
    if (constraints === undefined) return `${name} signed it, and is no CA`;
    const { pathLength } = constraints;
    if (pathLength !== undefined && below > pathLength)
      return `${name} allows ${pathLength} CAs below it, and there are ${below}`;
  }
  return undefined;
}
