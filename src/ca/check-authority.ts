import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { forbiddenUsages } from './allowed-usages.ts';
import type { CertificateFinding } from './assess-findings.ts';
import { pathLengthMistake } from './constraints.ts';

/** What a CA, or one above it in its file, was not given, though cluster.yaml needs it. `pem` is its file, whole. */
export function authorityFindings(authority: PlannedAuthority, pem: string): CertificateFinding[] {
  try {
    return [...usageFindings(authority, pem), ...pathFindings(authority, pem)];
  } catch {
    // What is damaged has a finding of its own.
    return [];
  }
}

function usageFindings({ id, leaves }: PlannedAuthority, pem: string): CertificateFinding[] {
  const usages = forbiddenUsages(
    pem,
    leaves.flatMap((leaf) => leaf.usages),
  );
  if (usages.length === 0) return [];
  return [
    {
      code: 'usages-forbidden',
      severity: 'fail',
      message: `what it signs is refused where it is used for ${usages.join(', ')}`,
      next: `have it signed without extended key usages: kbin pki csr ${id}`,
    },
  ];
}

/** A warning: whoever trusts the CA itself, as all of kbin's own do, looks no further up. */
function pathFindings({ id }: PlannedAuthority, pem: string): CertificateFinding[] {
  const mistake = pathLengthMistake(pem);
  if (mistake === undefined) return [];
  return [
    {
      code: 'path-not-allowed',
      severity: 'warn',
      message: `whoever trusts the CA above it refuses what it signs: ${mistake}`,
      next: `have it signed by one that allows it: kbin pki csr ${id}`,
    },
  ];
}
