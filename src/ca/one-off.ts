import { X509Certificate } from 'node:crypto';
import type { Subject } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { inspectPem } from './inspect.ts';
import { type CertificateRequest, type Issued, issueCertificate } from './issue.ts';
import { generateKeyPair, publicPartOf, readPrivateKey } from './keys.ts';
import type { Store } from './store.ts';
import { issuerOf } from './store-apply.ts';

const step = 'certificate store';

export interface OneOff extends Omit<CertificateRequest, 'spki' | 'sans'> {
  readonly key: Parameters<typeof generateKeyPair>[0];
}

/** A certificate that the store does not keep, and its private key. */
export interface IssuedOneOff extends Issued {
  readonly subject: Subject;
  /** PKCS#8, PEM. */
  readonly keyPem: string;
}

/**
 * Has a CA of the store sign a certificate that is nobody's business afterwards: nothing is written. Throws KbinError
 * when the CA or its key is not here, does not open with the passphrase, has expired, or is not what it should be.
 */
export async function issueOneOff(
  store: Store,
  authority: string,
  request: OneOff,
  passphrase: string | undefined,
): Promise<IssuedOneOff> {
  const view = store.view();
  const certificate = view.certificate(authority);
  const key = view.key(authority);
  if (certificate === undefined || key === undefined) {
    throw new KbinError(
      `the certificate store lacks ${certificate ? `the key of ${authority}` : authority}`,
      {
        step,
        why: `it signs the certificate that is asked for; ${store.folder} is where it should be`,
        next: certificate
          ? 'work where the CA keys are kept'
          : 'run `kbin pki init`, or work where the CA keys are kept',
      },
    );
  }
  const pair = generateKeyPair(request.key);
  const pem = Buffer.from(await store.readSecret(key.ref)).toString('utf8');
  const file = `${store.folder}/${key.ref}`;
  const reading = readPrivateKey(pem, passphrase);
  if (reading.state !== 'read') {
    const next =
      reading.state === 'encrypted'
        ? 'set $KBIN_CA_PASSPHRASE to its passphrase'
        : 'restore it from a backup';
    throw new KbinError(`${file} cannot be read`, { step, why: reading.reason, next });
  }
  // A CA's file may go on with the certificates it trusts besides; the first is its own.
  const info = inspectPem(certificate.pem, certificate.ref)[0];
  if (info === undefined) throw new Error(`${certificate.ref} holds no certificate`);
  if (info.notAfter <= request.now) {
    throw new KbinError(`${authority} has expired`, {
      step,
      why: `it was valid until ${info.notAfter.toISOString()}`,
      next: 'nothing that it signs is accepted any more; "kbin pki list" shows what has to follow',
    });
  }
  const own = new X509Certificate(info.pem).publicKey.export({ type: 'spki', format: 'der' });
  if (!publicPartOf(reading.key).equals(own)) {
    throw new KbinError(`${file} is not the key of ${certificate.ref}`, {
      step,
      why: 'they are two different keys',
      next: 'restore from a backup the key that belongs to the certificate',
    });
  }
  const { spki, pem: keyPem } = await pair;
  const issued = issueCertificate({ ...request, spki, sans: [] }, issuerOf(info, reading.key));
  return { ...issued, subject: request.subject, keyPem };
}
