import { X509Certificate } from 'node:crypto';
import type { KnownAuthority, Path } from './certificate-path.ts';
import type { CertificateInfo } from './inspect.ts';
import type { Role } from './lint.ts';
import { type Revoked, revocationOf } from './revocation.ts';

/** What is wrong with a certificate, or doubtful. */
export interface CertificateFinding {
  /** Stable: `expired`, `weak-key`, or a rule's id (src/ca/lint-rules.ts). */
  readonly code: string;
  readonly severity: 'fail' | 'warn';
  readonly message: string;
  readonly next: string;
  /** Where the rule stands: `RFC 5280 section 4.1.2.2`. */
  readonly source?: string;
}

export interface AssessOptions {
  readonly now: Date;
  /** Hours within which it must not end. */
  readonly withinHours: number;
  /** CAs that it may lead to. */
  readonly authorities: readonly KnownAuthority[];
  /** undefined: what it says itself. */
  readonly roles?: readonly Role[];
  /** DER of what was sent along with it, or lies in the same file. */
  readonly sent?: readonly Buffer[];
  /** How grave it is that nobody known signed it. Default `fail`. */
  readonly strange?: 'fail' | 'warn';
  /** What its CA revoked. */
  readonly revoked?: readonly Revoked[];
  /** Nobody uses it (any more, or yet): that it ends is no fault. */
  readonly idle?: boolean;
}

export const issueAnew = 'issue it anew: `kbin pki renew NAME` where kbin made it';

export const day = (date: Date): string => date.toISOString().slice(0, 10);

/** Days, or hours where it is less than two days. */
export function spanText(hours: number): string {
  return hours < 48 ? `${Math.max(0, Math.floor(hours))} hours` : `${Math.floor(hours / 24)} days`;
}

export function validity(
  info: CertificateInfo,
  { now, withinHours, idle }: AssessOptions,
): CertificateFinding[] {
  const { notBefore, notAfter } = info;
  const severity = idle === true ? 'warn' : 'fail';
  if (notAfter <= now) {
    return [{ code: 'expired', severity, message: `it expired on ${day(notAfter)}`, next: issueAnew }];
  }
  const left = (notAfter.getTime() - now.getTime()) / 3_600_000;
  const soon: CertificateFinding = {
    code: 'expires-soon',
    severity,
    message: `it expires on ${day(notAfter)}, in ${spanText(left)}`,
    next: info.isCa
      ? '`kbin pki rotate` replaces a CA while the cluster runs; what it signed ends with it'
      : issueAnew,
  };
  const early: CertificateFinding = {
    code: 'not-yet-valid',
    severity,
    message: `it is not valid before ${notBefore.toISOString()}`,
    next: 'see whether the clock of this machine is right, or that of the machine that made it',
  };
  return [...(notBefore > now ? [early] : []), ...(left <= withinHours ? [soon] : [])];
}

export function pathFindings(
  info: CertificateInfo,
  path: Path,
  { strange = 'fail', authorities, roles }: AssessOptions,
): CertificateFinding[] {
  if (path.anchor === undefined) {
    const isRoot = info.isCa && info.subject === info.issuer;
    if (isRoot && roles?.includes('ca') !== false) return [];
    const namesake = authorities.find(({ certificate }) => isIssuerByName(certificate, info));
    if (namesake !== undefined) {
      return [
        {
          code: 'signature-wrong',
          severity: 'fail',
          message: `${namesake.name} has the name of its issuer (${info.issuer}), and did not sign it`,
          next: 'it is of another CA of that name: restore that one, or issue this anew',
        },
      ];
    }
    if (info.subject === info.issuer) {
      return [
        {
          code: 'self-signed',
          severity: strange,
          message: 'it signed itself: whoever verifies refuses it, or has to be told of it alone',
          next: 'have a CA sign it',
        },
      ];
    }
    return [
      {
        code: 'issuer-unknown',
        severity: strange,
        message: `no CA that is known here signed it; its issuer is ${info.issuer}`,
        next: 'find out where it comes from; where its CA was replaced, or lies above an intermediate one that was not sent along, that is missing',
      },
    ];
  }
  const findings: CertificateFinding[] = [];
  if (path.fault !== undefined) {
    findings.push({
      code: 'path-not-allowed',
      severity: 'fail',
      message: path.fault,
      next: 'have it signed by a CA that may',
    });
  }
  const end = path.issuer === undefined ? undefined : new Date(path.issuer.validTo);
  if (end !== undefined && info.notAfter > end) {
    findings.push({
      code: 'outlives-ca',
      severity: 'warn',
      message: `it lasts until ${day(info.notAfter)}, its CA until ${day(end)}: after that it is of no use`,
      next: 'issue it anew once its CA is another: `kbin pki rotate`',
    });
  }
  return findings;
}

export function revocation(info: CertificateInfo, revoked: readonly Revoked[]): CertificateFinding[] {
  const entry = revocationOf(info, revoked);
  if (entry === undefined) return [];
  const message = `it was revoked on ${day(entry.at)} (${entry.reason})`;
  return [{ code: 'revoked', severity: 'fail', message, next: 'deploy the one that took its place' }];
}

/** In the order of the certificate, as inspect has it: the two were read by different libraries. */
function isIssuerByName(authority: X509Certificate, { pem }: CertificateInfo): boolean {
  return new X509Certificate(pem).issuer === authority.subject;
}
