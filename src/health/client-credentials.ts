import type { StoreView } from '../desired/store-view.ts';
import { KbinError } from '../errors.ts';

/** What is needed of src/ca's Store here. */
export interface CredentialSource {
  view(): StoreView;
  readSecret(ref: string): Promise<Uint8Array>;
}

/** A client's certificate and key, PEM, and the CAs that it believes. */
export interface ClientCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What `client` of the store shows to those whom `authority` signed for. Rejects where the store has not all of it. */
export async function clientCredentials(
  store: CredentialSource,
  { authority, client, toAsk }: { authority: string; client: string; toAsk: string },
): Promise<ClientCredentials> {
  const view = store.view();
  const ca = view.trusted(authority);
  const certificate = view.certificate(client);
  const key = view.key(client);
  if (ca === undefined || certificate === undefined || key === undefined) {
    const missing = ca === undefined ? authority : client;
    throw new KbinError(`the certificate store has no usable ${missing}, which is needed to ask ${toAsk}`, {
      next: 'run `kbin pki init`, or work on the machine that has the pki folder with its keys',
    });
  }
  return { ca, cert: certificate.pem, key: Buffer.from(await store.readSecret(key.ref)).toString('utf8') };
}
