import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { KbinError } from '../errors.ts';
import { chainBelow } from './chain.ts';
import { inspectPem } from './inspect.ts';
import type { Issuer } from './issue.ts';
import { publicPartOf, readPrivateKey } from './keys.ts';
import { pathsOf } from './layout.ts';
import type { Store } from './store.ts';
import { issuerOf } from './store-apply.ts';

const step = 'certificate store';

/**
 * A CA of the store, ready to sign. Its key is opened with the store's passphrase where it is encrypted. Throws KbinError
 * when the CA or its key is not here, does not open, has expired, or is not what it should be.
 */
export async function signerOf(store: Store, authority: string, now: Date): Promise<Issuer> {
  const { certificate: path = '', key: ref } = pathsOf(authority);
  const certificate = store.view().certificate(authority);
  if (certificate === undefined) {
    throw new KbinError(`the certificate store lacks ${authority}`, {
      step,
      why: `it signs what is asked for; ${store.folder}/${path} is where it should be`,
      next: 'run `kbin pki init`, or work where the CA keys are kept',
    });
  }
  const info = inspectPem(certificate.pem, path)[0];
  if (info === undefined) throw new Error(`${path} holds no certificate`);
  if (info.notAfter <= now) {
    throw new KbinError(`${authority} has expired`, {
      step,
      why: `it was valid until ${info.notAfter.toISOString()}`,
      next: 'nothing that it signs is accepted any more; "kbin pki list" shows what has to follow',
    });
  }
  const file = `${store.folder}/${ref}`;
  if (!existsSync(file)) {
    throw new KbinError(`${file} is not here`, {
      step,
      why: 'it signs what is asked for',
      next: 'work where the CA keys are kept, or put it here for the while',
    });
  }
  const reading = readPrivateKey(Buffer.from(await store.readSecret(ref)).toString('utf8'), undefined);
  if (reading.state !== 'read') {
    throw new KbinError(`${file} cannot be read`, {
      step,
      why: reading.reason,
      next: 'restore it from a backup',
    });
  }
  const own = new X509Certificate(info.pem).publicKey.export({ type: 'spki', format: 'der' });
  if (!publicPartOf(reading.key).equals(own)) {
    throw new KbinError(`${file} is not the key of ${path}`, {
      step,
      why: 'they are two different keys',
      next: 'restore from a backup the key that belongs to the certificate',
    });
  }
  const whole = Buffer.from(await store.readSecret(path)).toString('utf8');
  return issuerOf(info, reading.key, chainBelow(whole));
}
