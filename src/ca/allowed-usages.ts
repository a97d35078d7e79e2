import { type ExtendedUsage, extendedUsageOids, isKeyUsage, type Usage } from '../../pki/usages.ts';
import { certificateParts, extensionValue } from './certificate-parts.ts';
import { certificatesOf } from './chain.ts';
import { children, firstElement, readOid } from './der-read.ts';

const extendedKeyUsage = '2.5.29.37';

/**
 * What a CA and those above it forbid of these usages. A CA that has extended usages of its own passes on no others: RFC
 * 5280 section 4.2.1.12 leaves it open, Go (so etcd and all of Kubernetes) and OpenSSL go by it. `caPem` is the CA's file:
 * its own certificate, then those above. Returns a clause for each usage that is not allowed.
 */
export function forbiddenUsages(caPem: string, usages: readonly Usage[]): string[] {
  const wanted = [...new Set(usages)].filter((usage): usage is ExtendedUsage => !isKeyUsage(usage));
  return certificatesOf(caPem).flatMap((certificate) => {
    const value = extensionValue(certificateParts(certificate.raw), extendedKeyUsage);
    if (value === undefined) return [];
    const allowed = children(firstElement(value).content).map(({ content }) => readOid(content));
    if (allowed.includes(extendedUsageOids.any)) return [];
    const by = certificate.subject.replaceAll('\n', ', ');
    return wanted
      .filter((usage) => !allowed.includes(extendedUsageOids[usage]))
      .map((usage) => `${usage} (${by} is limited to other usages)`);
  });
}
