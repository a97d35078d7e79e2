import { X509Certificate } from 'node:crypto';
import { KbinError } from '../errors.ts';
import {
  type AssessOptions,
  type CertificateFinding,
  issueAnew,
  pathFindings,
  revocation,
  validity,
} from './assess-findings.ts';
import { type Path, pathOf } from './certificate-path.ts';
import { type CertificateInfo, daysLeft, inspectPem } from './inspect.ts';
import { lint, type Role } from './lint.ts';
import { extendedUsagesOf, isAuthority, type LintCertificate, takeApart } from './lint-certificate.ts';
import { pemText } from './pem.ts';
import { weaknesses } from './weakness.ts';

export interface Assessed {
  /** undefined where it cannot be read. */
  readonly info?: CertificateInfo & { readonly daysLeft: number };
  /** Name of the known CA that it leads to; undefined where it leads to none. */
  readonly signedBy?: string;
  readonly findings: readonly CertificateFinding[];
}

/** All that can be said of one certificate (DER): how long it lasts, what it leads to, what is weak, what breaks rules. */
export function assess(der: Buffer, options: AssessOptions): Assessed {
  const certificate = readWhole(der);
  if (certificate instanceof KbinError) {
    const findings = lint(der, { roles: options.roles ?? [] }).map(fromLint);
    return { findings: [unreadable(certificate), ...findings] };
  }
  const { info, x509 } = certificate;
  const path = pathOf(x509, (options.sent ?? []).flatMap(openable), options.authorities);
  const parts = takenApart(der);
  const issuer = path.issuer === undefined ? undefined : takenApart(path.issuer.raw);
  const roles = options.roles ?? (parts === undefined ? [] : ownRoles(parts));
  return {
    info: { ...info, daysLeft: daysLeft(info, options.now) },
    ...(path.anchor === undefined ? {} : { signedBy: signedBy(path) }),
    findings: [
      ...validity(info, options),
      ...pathFindings(info, path, options),
      ...revocation(info, options.revoked ?? []),
      ...weaknesses.flatMap(({ id, severity, find }) => {
        const message = find(info);
        return message === undefined ? [] : [{ code: id, severity, message, next: issueAnew }];
      }),
      ...lint(der, { roles, ...(issuer === undefined ? {} : { issuer }) }).map(fromLint),
    ],
  };
}

function readWhole(der: Buffer): { info: CertificateInfo; x509: X509Certificate } | KbinError {
  try {
    const [info] = inspectPem(pemText('CERTIFICATE', der), 'it');
    if (info === undefined) return new KbinError('it holds no certificate');
    return { info, x509: new X509Certificate(der) };
  } catch (error) {
    if (error instanceof KbinError) return error;
    throw error;
  }
}

function openable(der: Buffer): X509Certificate[] {
  try {
    return [new X509Certificate(der)];
  } catch {
    return [];
  }
}

function takenApart(der: Buffer): LintCertificate | undefined {
  try {
    return takeApart(der);
  } catch {
    return undefined;
  }
}

const roleByUsage: Readonly<Record<string, Role>> = {
  '1.3.6.1.5.5.7.3.1': 'server',
  '1.3.6.1.5.5.7.3.2': 'client',
};

/** What it says that it is for. */
function ownRoles(certificate: LintCertificate): readonly Role[] {
  try {
    if (isAuthority(certificate)) return ['ca'];
    return (extendedUsagesOf(certificate) ?? []).flatMap((oid) => roleByUsage[oid] ?? []);
  } catch {
    // The rules tell what is malformed.
    return [];
  }
}

function signedBy({ anchor, between }: Path): string {
  const through = between.map((one) => one.subject.replaceAll('\n', ', '));
  return `${anchor?.name}${through.length === 0 ? '' : ` (through ${through.join('; ')})`}`;
}

function fromLint({ rule, source, severity, message }: ReturnType<typeof lint>[number]): CertificateFinding {
  return { code: rule, severity, message, source, next: `issue it anew, as ${source} has it` };
}

function unreadable({ message, details }: KbinError): CertificateFinding {
  const why = details.why === undefined ? '' : `: ${details.why}`;
  return {
    code: 'unreadable',
    severity: 'fail',
    message: `${message}${why}`,
    next: 'restore it from a backup, or issue it anew',
  };
}
