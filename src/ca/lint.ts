import { type LintCertificate, takeApart } from './lint-certificate.ts';
import { lintRules } from './lint-rules.ts';

/** What a certificate is for, where that is known. A peer is both a server and a client. */
export type Role = 'ca' | 'server' | 'client';

export interface LintContext {
  readonly roles: readonly Role[];
  /** Of the CA that signed it. */
  readonly issuer?: LintCertificate;
}

/** One sentence of RFC 5280, or of a standard beside it, as something that can be looked for in a certificate. */
export interface LintRule {
  /** Stable: reports, docs and tests name it. */
  readonly id: string;
  /** `RFC 5280 section 4.1.2.2` */
  readonly source: string;
  /** `fail`: the standard says MUST, or what verifies it refuses it. `warn`: SHOULD, or it does no harm. */
  readonly severity: 'fail' | 'warn';
  /** What holds for a good certificate, in a clause. */
  readonly says: string;
  /** What is seen instead, each in a clause; empty: the rule is kept. RangeError: it is malformed. */
  readonly find: (certificate: LintCertificate, context: LintContext) => readonly string[];
}

export interface LintFinding {
  readonly rule: string;
  readonly source: string;
  readonly severity: 'fail' | 'warn';
  readonly message: string;
}

/** Every rule on one certificate (DER). Never throws: what cannot be taken apart is a finding too. */
export function lint(der: Buffer, context: Partial<LintContext> = {}): readonly LintFinding[] {
  let certificate: LintCertificate;
  try {
    certificate = takeApart(der);
  } catch (error) {
    return [malformed(error)];
  }
  const whole: LintContext = { roles: [], ...context };
  const findings = lintRules.flatMap((rule) => apply(rule, certificate, whole));
  // Several rules stumble over the same malformed part.
  const seen = new Set<string>();
  return findings.filter(({ rule, message }) => {
    const key = `${rule}: ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function apply(rule: LintRule, certificate: LintCertificate, context: LintContext): LintFinding[] {
  try {
    const { id, source, severity } = rule;
    return rule.find(certificate, context).map((message) => ({ rule: id, source, severity, message }));
  } catch (error) {
    return [malformed(error)];
  }
}

/** The rule that taking it apart is. */
export const structureRule = {
  id: 'structure',
  source: 'RFC 5280 section 4.1',
  severity: 'fail',
  says: 'it has the fields of a certificate, each of its type',
} as const satisfies Omit<LintRule, 'find'>;

function malformed(error: unknown): LintFinding {
  if (!(error instanceof RangeError)) throw error;
  const { id, source, severity } = structureRule;
  return { rule: id, source, severity, message: `malformed: ${error.message}` };
}
