import { X509Certificate } from 'node:crypto';
import { pemBlocks } from './pem.ts';

/**
 * Of a CA's file, which holds its own certificate first: what a leaf that it signs is sent along with, PEM. Its own
 * certificate and those above it, up to the root, which is left out: who trusts it has it. Empty for a root.
 */
export function chainBelow(caPem: string): string {
  return pathUp(certificatesOf(caPem))
    .filter((certificate) => !isRoot(certificate))
    .map(pemOf)
    .join('');
}

/**
 * Of a leaf's file: the PEM between it and the CA that everyone trusts (`ca`, its own certificate), which a CA below
 * that one may have signed. undefined: the file does not lead there.
 */
export function pathTo(leafPem: string, ca: X509Certificate): string | undefined {
  const path = pathUp(certificatesOf(leafPem), ca);
  const end = path.at(-1);
  if (end === undefined || !isIssuedBy(end, ca)) return undefined;
  return path.slice(1).map(pemOf).join('');
}

/** What the file of a leaf should hold after the leaf itself; undefined when no way leads from it to the CA. */
export function chainWanted(leafPem: string, caPem: string): string | undefined {
  const between = pathTo(leafPem, new X509Certificate(caPem));
  return between === undefined ? undefined : between + chainBelow(caPem);
}

/** Whether the file holds, after the leaf, just that. Compared as certificates, whatever their text looks like. */
export function hasChain(leafPem: string, chain: string): boolean {
  const present = certificatesOf(leafPem).slice(1);
  const wanted = certificatesOf(chain);
  return (
    present.length === wanted.length &&
    present.every((certificate, index) => certificate.raw.equals(wanted[index]?.raw ?? Buffer.alloc(0)))
  );
}

/** The first, then each one's issuer as far as they are there; not beyond those that `below` has signed. */
function pathUp(certificates: readonly X509Certificate[], below?: X509Certificate): X509Certificate[] {
  const [first] = certificates;
  if (first === undefined) return [];
  const path = [first];
  for (let last = first; !isRoot(last) && !(below !== undefined && isIssuedBy(last, below)); ) {
    const issuer = certificates.find((candidate) => !path.includes(candidate) && isIssuedBy(last, candidate));
    if (issuer === undefined) break;
    path.push(issuer);
    last = issuer;
  }
  return path;
}

/** Names, key identifiers and the signature itself. */
export function isIssuedBy(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

export function isRoot(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && isIssuedBy(certificate, certificate);
}

export function certificatesOf(pem: string): X509Certificate[] {
  return pemBlocks(pem, 'a certificate file')
    .filter(({ label }) => label.endsWith('CERTIFICATE'))
    .map(({ der }) => new X509Certificate(der));
}

/** With LF and 64 columns. */
const pemOf = (certificate: X509Certificate): string => certificate.toString();
