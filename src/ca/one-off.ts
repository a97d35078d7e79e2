import type { Subject } from '../desired/certificate-plan.ts';
import { type CertificateRequest, type Issued, issueCertificate } from './issue.ts';
import { generateKeyPair } from './keys.ts';
import { signerOf } from './signer.ts';
import type { Store } from './store.ts';

export interface OneOff extends Omit<CertificateRequest, 'spki' | 'sans' | 'subject'> {
  readonly subject: Subject;
  readonly key: Parameters<typeof generateKeyPair>[0];
}

/** A certificate that the store does not keep, and its private key. */
export interface IssuedOneOff extends Issued {
  readonly subject: Subject;
  /** PKCS#8, PEM. */
  readonly keyPem: string;
}

/** Has a CA of the store sign a certificate that the store does not keep. Throws KbinError when that CA cannot sign. */
export async function issueOneOff(store: Store, authority: string, request: OneOff): Promise<IssuedOneOff> {
  const [{ spki, pem: keyPem }, signer] = await Promise.all([
    generateKeyPair(request.key),
    signerOf(store, authority, request.now),
  ]);
  const issued = issueCertificate({ ...request, spki, sans: [] }, signer);
  return { ...issued, subject: request.subject, keyPem };
}
