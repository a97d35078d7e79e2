import { X509Certificate } from 'node:crypto';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { isIssuedBy } from './chain.ts';
import { type CertificateInfo, inspectPem } from './inspect.ts';
import { issuedBy } from './issued.ts';
import { isInUse, pathsBeside, pathsOf } from './layout.ts';
import type { StoreFiles } from './store-files.ts';

/** A certificate that may be revoked, wherever it is known from. */
export interface Revocable {
  /** Id of the CA. */
  readonly authority: string;
  readonly authorityKeyId?: string;
  /** Hex, as openssl prints it. */
  readonly serial: string;
  /** Its name in the plan, else its subject. */
  readonly name: string;
  readonly isCa: boolean;
  /** undefined where only the serial number is known. */
  readonly notAfter?: Date;
}

/** Every certificate in the store and on its records. */
export function revocables(plan: CertificatePlan, files: StoreFiles): readonly Revocable[] {
  return [...certificatesIn(files), ...plan.authorities.flatMap(({ id }) => onRecord(files, id))];
}

function certificatesIn(files: StoreFiles): Revocable[] {
  const paths = files.list().filter((path) => path.endsWith('.crt') && isInUse(path));
  return paths.flatMap((path) => {
    const reading = files.read(path);
    const [authority = '', file = ''] = path.split('/');
    const info = reading.state === 'read' ? readable(reading.content) : undefined;
    if (info === undefined) return [];
    const id = file.slice(0, -'.crt'.length);
    return [known(authority, id === 'ca' ? authority : id, info)];
  });
}

function known(authority: string, name: string, info: CertificateInfo): Revocable {
  const { serial, isCa, notAfter, authorityKeyId } = info;
  return {
    authority,
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
    serial,
    name,
    isCa,
    notAfter,
  };
}

function readable(content: Buffer): CertificateInfo | undefined {
  try {
    return inspectPem(content.toString('utf8'))[0];
  } catch {
    // `kbin pki list` tells of it.
    return undefined;
  }
}

function onRecord(files: StoreFiles, authority: string): Revocable[] {
  return issuedBy(files, authority).map(({ serial, subject, notAfter, authorityKeyId }) => ({
    authority,
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
    serial,
    name: subject,
    isCa: false,
    notAfter,
  }));
}

/** A certificate out of a file: undefined when no CA of this store has signed it, neither the present one nor one beside it. */
export function revocableOf(
  plan: CertificatePlan,
  files: StoreFiles,
  info: CertificateInfo,
): Revocable | undefined {
  const signer = plan.authorities.find(({ id }) =>
    [pathsOf(id), pathsBeside('next', id), pathsBeside('previous', id)].some(({ certificate = '' }) => {
      const reading = files.read(certificate);
      const ca = reading.state === 'read' ? readable(reading.content) : undefined;
      return ca !== undefined && isIssuedBy(new X509Certificate(info.pem), new X509Certificate(ca.pem));
    }),
  );
  if (signer === undefined) return undefined;
  const inStore = certificatesIn(files).find(
    ({ serial, authority }) => serial === info.serial && authority === signer.id,
  );
  return inStore ?? known(signer.id, info.subject, info);
}
