import { X509Certificate } from 'node:crypto';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { PlannedLeaf } from '../desired/certificate-plan.ts';
import { certificatePlan } from '../desired/certificates.ts';
import { componentsOf } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { PlanFinding } from './changes.ts';

/** Days of validity that are too few to leave it at that; as `kbin verify` has it. */
const warnWithin = 30;
const day = 24 * 60 * 60 * 1000;

export interface CertificateInputs {
  readonly cluster: Cluster;
  /** Those that are deployed to. */
  readonly hosts: readonly ClusterHost[];
  readonly store: StoreView;
  readonly only?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Whether the certificates that go to these hosts will do there: every name and address that clients use, signed by the
 * CA that clients trust, and valid for a while. Deployed all the same, they would take the cluster down.
 */
export function certificates(inputs: CertificateInputs): PlanFinding[] {
  const authorities = certificatePlan(inputs.cluster).authorities;
  const needed = neededBy(inputs);
  const lacking = new Map<string, string[]>();
  const findings: PlanFinding[] = [];
  for (const authority of authorities) {
    const ca = needed.has(authority.id) ? read(inputs.store, authority.id) : undefined;
    if (ca === 'unreadable') findings.push(unreadable(authority.id));
    const own = ca instanceof X509Certificate ? ca : undefined;
    if (own !== undefined) findings.push(...validity(authority.id, own, inputs.now));
    for (const leaf of authority.leaves.filter(({ id }) => needed.has(id))) {
      const certificate = read(inputs.store, leaf.id);
      if (certificate === undefined) continue;
      if (certificate === 'unreadable') {
        findings.push(unreadable(leaf.id));
        continue;
      }
      const names = missingNames(certificate, leaf).join(', ');
      if (names !== '') lacking.set(names, [...(lacking.get(names) ?? []), leaf.id]);
      findings.push(...validity(leaf.id, certificate, inputs.now));
      const signer = own ?? read(inputs.store, authority.id);
      if (signer instanceof X509Certificate && !leadsTo(inputs.store, leaf.id, signer)) {
        findings.push(strange(leaf.id, authority.id));
      }
      findings.push(...revoked(leaf.id, certificate, inputs.store.revocations(authority.id)?.serials));
      findings.push(...withoutUsages(leaf, certificate));
    }
  }
  return [...findings, ...[...lacking].map(([names, ids]) => withoutNames(names, ids))];
}

/** A CA below that one may have signed it: then that one's certificate follows it in its file. */
function leadsTo(store: StoreView, id: string, authority: X509Certificate): boolean {
  const sent = pemCertificates(store.certificate(id)?.pem ?? '');
  const signedBy = (certificate: X509Certificate, by: X509Certificate): boolean =>
    certificate.checkIssued(by) && certificate.verify(by.publicKey);
  for (let [last, ...rest] = sent; last !== undefined; ) {
    if (signedBy(last, authority)) return true;
    const below: X509Certificate = last;
    last = rest.find((candidate) => signedBy(below, candidate));
    rest = rest.filter((candidate) => candidate !== last);
  }
  return false;
}

/** As far as they can be read. */
function pemCertificates(pem: string): X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return texts.flatMap((text) => {
    try {
      return new X509Certificate(text);
    } catch {
      return [];
    }
  });
}

function neededBy({ cluster, hosts, only }: CertificateInputs): ReadonlySet<string> {
  return new Set(
    hosts.flatMap((host) =>
      componentsOf(cluster, host)
        .filter(({ name }) => only?.includes(name) ?? true)
        .flatMap((component) => component.needs(cluster, host).map(({ id }) => id)),
    ),
  );
}

/** undefined: it is not there, which `requireCertificates` tells, or no certificate at all (a key pair). */
function read(store: StoreView, id: string): X509Certificate | 'unreadable' | undefined {
  const pem = store.certificate(id)?.pem;
  if (pem === undefined) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return 'unreadable';
  }
}

/** Of those that somebody depends on; that the others are there, `kbin pki init` sees to. */
/** RFC 5280 section 4.2.1.12: the ones that matter here. A certificate without the extension is good for all. */
const extendedUsages = [
  { usage: 'server auth', oid: '1.3.6.1.5.5.7.3.1' },
  { usage: 'client auth', oid: '1.3.6.1.5.5.7.3.2' },
] as const;
const anyExtendedUsage = '2.5.29.37.0';

function withoutUsages({ id, usages }: PlannedLeaf, certificate: X509Certificate): PlanFinding[] {
  const present: readonly string[] | undefined = certificate.keyUsage;
  if (present === undefined || present.includes(anyExtendedUsage)) return [];
  const missing = extendedUsages.filter(({ usage, oid }) => usages.includes(usage) && !present.includes(oid));
  if (missing.length === 0) return [];
  return [
    {
      severity: 'stop',
      code: 'usages-missing',
      message: `the certificate ${id} of the store is not meant for ${missing.map(({ usage }) => usage).join(', ')}`,
      next: 'run `kbin pki init`: it issues it anew with the usages that it needs',
    },
  ];
}

function missingNames(certificate: X509Certificate, { needed }: PlannedLeaf): string[] {
  const options = { wildcards: false, subject: 'never' } as const;
  return needed
    .filter(({ type, value }) => {
      if (type === 'ip') return certificate.checkIP(value) === undefined;
      // A wildcard stands for itself alone: it is compared as it is written.
      if (type === 'dns' && !value.startsWith('*.'))
        return certificate.checkHost(value, options) === undefined;
      return !(certificate.subjectAltName ?? '').includes(value);
    })
    .map(({ value }) => value);
}

function withoutNames(names: string, ids: readonly string[]): PlanFinding {
  const several = ids.length > 1;
  return {
    severity: 'stop',
    code: 'names-missing',
    message: `the certificate${several ? 's' : ''} ${ids.join(', ')} of the store ${several ? 'are' : 'is'} not good for ${names}`,
    next: 'run `kbin pki init`: it issues them anew with all names of cluster.yaml',
  };
}

function validity(id: string, certificate: X509Certificate, now: number): PlanFinding[] {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const days = Math.floor((to - now) / day);
  if (now > to || now < from) {
    const message =
      now > to ? `expired on ${date(to)}` : `is not valid before ${date(from)}, by the clock of this machine`;
    const next =
      now > to
        ? 'run `kbin pki init`: it issues it anew, or says what keeps it from that'
        : 'see whether the clock of this machine is right';
    return [
      { severity: 'stop', code: 'certificate-expired', message: `the certificate ${id} ${message}`, next },
    ];
  }
  if (days >= warnWithin) return [];
  return [
    {
      severity: 'warning',
      code: 'certificate-expires',
      message: `the certificate ${id} has ${days} day${days === 1 ? '' : 's'} left, until ${date(to)}`,
      next: 'renew it before: `kbin pki renew --within 30d --deploy`',
    },
  ];
}

function strange(id: string, authority: string): PlanFinding {
  return {
    severity: 'stop',
    code: 'certificate-of-other-ca',
    message: `the certificate ${id} of the store is not signed by its ${authority}`,
    next: 'see `kbin pki list`; where a CA was restored from a backup, so must be what it signed, or `kbin pki init` issues it anew',
  };
}

/** By its serial number alone, as etcd does. */
function revoked(
  id: string,
  { serialNumber }: X509Certificate,
  serials: readonly string[] = [],
): PlanFinding[] {
  if (!serials.includes(serialNumber)) return [];
  const message = `the certificate ${id} of the store is revoked`;
  const next = 'run `kbin pki init`: it issues it anew, or says which request keeps it from that';
  return [{ severity: 'stop', code: 'certificate-revoked', message, next }];
}

function unreadable(id: string): PlanFinding {
  return {
    severity: 'stop',
    code: 'certificate-unreadable',
    message: `the certificate ${id} of the store cannot be read`,
    next: 'restore it from a backup, or remove the file and run `kbin pki init`',
  };
}

function date(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
