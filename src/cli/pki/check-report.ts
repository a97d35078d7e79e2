import type { CertificateFinding } from '../../ca/assess-findings.ts';
import type { SeenCertificate } from '../../ca/seen.ts';
import type { Check } from '../../health/check.ts';

/** Of a key, or of something that is not there. */
export interface OtherFinding
  extends CertificateFinding,
    Partial<Pick<SeenCertificate, 'host' | 'seen' | 'where'>> {
  readonly name: string;
}

/** What could not be looked at. */
export interface Gap {
  readonly host: string;
  readonly what: string;
  readonly why: string;
  readonly next: string;
}

/** What `kbin pki check` found. Table, JSON and JUnit show this and nothing else. */
export interface PkiCheck {
  /** `certificates of cluster prod`, or the files. */
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Hours within which nothing may end. */
  readonly withinHours: number;
  /** Everything was looked at. */
  readonly complete: boolean;
  /** Nothing that was looked at is wrong. Warnings are no faults. */
  readonly good: boolean;
  readonly certificates: readonly SeenCertificate[];
  readonly others: readonly OtherFinding[];
  readonly gaps: readonly Gap[];
  /** What was not there to be looked at, and need not be: in sentences. */
  readonly notes: readonly string[];
}

export type PkiCheckParts = Pick<PkiCheck, 'certificates' | 'others' | 'gaps' | 'notes'>;

export function pkiCheckOf(
  subject: string,
  { now, withinHours }: { readonly now: Date; readonly withinHours: number },
  parts: PkiCheckParts,
): PkiCheck {
  const findings = [...parts.certificates.flatMap(({ findings }) => findings), ...parts.others];
  return {
    subject,
    at: now.toISOString(),
    withinHours,
    complete: parts.gaps.length === 0,
    good: findings.every(({ severity }) => severity !== 'fail'),
    ...parts,
  };
}

/** For JUnit: by where things were seen. */
export function sectionsOf(check: PkiCheck): readonly { name: string; checks: readonly Check[] }[] {
  const kinds = ['store', 'host', 'served', 'file'] as const;
  const sections = kinds.map((kind) => ({
    name: kind,
    checks: [
      ...check.certificates.filter(({ seen }) => seen === kind).flatMap(checksOf),
      ...check.others
        .filter(({ seen = 'store' }) => seen === kind)
        .map((finding) => toCheck(finding, finding)),
      ...(kind === 'host' ? check.gaps.map(gapCheck) : []),
    ],
  }));
  return sections.filter(({ checks }) => checks.length > 0);
}

function checksOf(certificate: SeenCertificate): readonly Check[] {
  const { findings, info } = certificate;
  if (findings.length > 0) return findings.map((finding) => toCheck(certificate, finding));
  const message = info === undefined ? 'read' : `${info.subject}, ${info.daysLeft} days left`;
  return [{ id: 'certificate', target: placeOf(certificate), status: 'pass', message }];
}

function toCheck(place: Placed, { code, severity, message, next }: CertificateFinding): Check {
  return { id: code, target: placeOf(place), status: severity, message, next };
}

function gapCheck({ host, what, why, next }: Gap): Check {
  return { id: 'not-looked-at', target: host, status: 'fail', message: `${what}: ${why}`, next };
}

export type Placed = Partial<Pick<SeenCertificate, 'host' | 'where' | 'name'>>;

export function placeOf({ host, where, name }: Placed): string {
  const place = host === undefined ? where : `${host}:${where}`;
  return [name === where ? undefined : name, place].filter((part) => part !== undefined).join(' ');
}
