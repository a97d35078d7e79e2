import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { assess } from '../../ca/assess.ts';
import type { CertificateFinding } from '../../ca/assess-findings.ts';
import type { SeenCertificate } from '../../ca/seen.ts';
import type { CertificateListener } from '../../health/certificate-listeners.ts';
import { hostPort } from '../../health/target.ts';
import { oneText } from './check-disk.ts';
import type { Known } from './check-known.ts';

/** Pure: what a listener showed, beside what lies on its disk and in pki/. */
export function judgeServed(
  { host, component, id, address }: CertificateListener,
  chain: readonly Buffer[],
  { certificates, known }: { readonly certificates: readonly SeenCertificate[]; readonly known: Known },
): SeenCertificate {
  const base = { seen: 'served', where: hostPort(address), host, name: id } as const;
  const [leaf, ...sent] = chain;
  if (leaf === undefined) {
    const message = `${component} shows no certificate`;
    return {
      ...base,
      findings: [{ code: 'unreadable', severity: 'fail', message, next: journal(component) }],
    };
  }
  const found = assess(leaf, { ...known.termsOf(id), sent });
  const own = found.info?.fingerprints.sha256;
  const disk = certificates.find((one) => one.seen === 'host' && one.host === host && one.name === id)?.info;
  const stored = certificates.find((one) => one.seen === 'store' && one.name === id)?.info;
  const wanted = disk ?? stored;
  const differs: CertificateFinding[] =
    wanted === undefined || own === wanted.fingerprints.sha256
      ? []
      : [
          {
            code: 'served-differs',
            severity: 'fail',
            message: `${component} shows another certificate (${found.info === undefined ? 'which cannot be read' : oneText(found.info)}) than ${disk === undefined ? 'pki/ has' : 'lies on its disk'} (${oneText(wanted)})`,
            next:
              disk === undefined
                ? '`kbin plan` shows what lies on its disk'
                : `it did not read the one on its disk: systemctl restart ${component} there, one host at a time; if it stays, ${journal(component)}`,
          },
        ];
  return {
    ...base,
    ...found,
    findings: [...differs, ...wrongAddress(leaf, address.host), ...found.findings],
  };
}

const journal = (component: string): string => `see its journal (journalctl -u ${component})`;

/** Clients go by addresses and names, and refuse a certificate that is not for them. */
function wrongAddress(leaf: Buffer, address: string): CertificateFinding[] {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(leaf);
  } catch {
    return [];
  }
  const good =
    isIP(address) === 0 ? certificate.checkHost(address, { subject: 'never' }) : certificate.checkIP(address);
  if (good !== undefined) return [];
  const names = certificate.subjectAltName ?? 'nothing';
  return [
    {
      code: 'wrong-address',
      severity: 'fail',
      message: `what is shown is not good for ${address}: it is for ${names}`,
      next: 'issue it anew with all names of cluster.yaml: `kbin pki init`, then the deploy',
    },
  ];
}
