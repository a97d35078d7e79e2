import type { KeyObject, X509Certificate } from 'node:crypto';
import { publicPartOf } from '../../ca/keys.ts';
import type { OtherFinding } from './check-report.ts';

export interface GivenCertificate {
  readonly where: string;
  /** Of its file: the part of a kubeconfig counts as one. */
  readonly file: string;
  readonly der: Buffer;
  /** undefined where it cannot be read. */
  readonly x509: X509Certificate | undefined;
  /** Those after it in the same file. */
  readonly sent: readonly Buffer[];
}

export interface GivenKey {
  readonly file: string;
  readonly mode: number;
  /** undefined where it is encrypted, or none that can be read. */
  readonly key: KeyObject | undefined;
}

/** Whether a key is closed to others, and fits the certificate that lies with it. */
export function keyFindings(
  { file, mode, key }: GivenKey,
  certificates: readonly GivenCertificate[],
): OtherFinding[] {
  const about = { seen: 'file', where: file, name: file, severity: 'fail' } as const;
  const findings: OtherFinding[] = [];
  if ((mode & 0o077) !== 0) {
    findings.push({
      ...about,
      code: 'key-open',
      message: `it holds a private key and is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
      next: 'chmod 600, and think of who may have read it',
    });
  }
  const partners = certificates.filter((one) => one.x509 !== undefined && areOnePair(file, one.file));
  if (key === undefined || partners.length === 0) return findings;
  const own = publicPartOf(key);
  const fits = partners.some(({ x509 }) =>
    x509?.publicKey.export({ type: 'spki', format: 'der' }).equals(own),
  );
  if (!fits) {
    findings.push({
      ...about,
      code: 'key-mismatch',
      message: `it is not the key of ${partners[0]?.where}`,
      next: 'restore the one that belongs to the certificate, or issue the certificate anew',
    });
  }
  return findings;
}

/** `x.key` and `x.crt`, cfssl's `x-key.pem` and `x.pem`, the two parts of a kubeconfig, or one file. */
function areOnePair(key: string, certificate: string): boolean {
  if (key === certificate) return true;
  const [keyStem, stem] = [
    key.replace(/(-key\.pem|\.key|\.key\.pem| \(client-key-data\))$/, ''),
    certificate.replace(/(\.crt|\.cert|\.cer|\.pem| \(client-certificate-data\))$/, ''),
  ];
  return keyStem !== key && keyStem === stem;
}
