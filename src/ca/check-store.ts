import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { assess } from './assess.ts';
import type { CertificateFinding } from './assess-findings.ts';
import type { KnownAuthority } from './certificate-path.ts';
import { certificatesOf } from './chain.ts';
import { authorityFindings } from './check-authority.ts';
import { differences, keyOpen, listAge, type OtherFinding, openKeyFiles, others } from './check-findings.ts';
import { baseOf, keyPath, type Listed, plannedCertificates } from './check-places.ts';
import { pemBlocks } from './pem.ts';
import { compareStore } from './reconcile.ts';
import { observeRevocations, type Revoked } from './revocation.ts';
import type { SeenCertificate } from './seen.ts';
import { readConsistently, type StoreFiles } from './store-files.ts';
import { strayCertificates } from './strays.ts';

export interface StoreCheck {
  readonly certificates: readonly SeenCertificate[];
  /** What is wrong with keys that have no certificate, and with the store as a whole: by name. */
  readonly others: readonly OtherFinding[];
  /** The CAs that are trusted: those in use, and the next and the previous one of a rotation. */
  readonly authorities: readonly KnownAuthority[];
  /** What stays as it is, and should be known: in sentences. */
  readonly notes: readonly string[];
  /** What was revoked, by the CA's id. */
  readonly revoked: ReadonlyMap<string, readonly Revoked[]>;
}

export interface StoreCheckOptions {
  readonly now: Date;
  readonly withinHours: number;
  readonly passphrase?: string | undefined;
}

/** Everything in pki/ that is in use, comes next, or is still trusted; and whether it is what cluster.yaml wants. */
export async function checkStore(
  plan: CertificatePlan,
  folder: string,
  options: StoreCheckOptions,
): Promise<StoreCheck> {
  const { observed, diff } = await compareStore(plan, folder, options);
  const listed = plannedCertificates(plan);
  const { files, openKeys, revocations } = readConsistently(folder, (store) => ({
    files: readPems(store, listed),
    openKeys: openKeyFiles(store),
    revocations: plan.authorities.map(({ id }) => ({ id, ...observeRevocations(store, id) })),
  }));
  const revoked = new Map(revocations.map(({ id, revoked: entries }) => [id, entries]));
  const authorities = listed
    .filter(({ roles }) => roles.includes('ca'))
    .flatMap(({ name, path }) => knownAuthority(name, files.get(path)));
  const certificates = listed.flatMap((one): SeenCertificate[] => {
    const pem = files.get(one.path);
    if (pem === undefined) return [];
    const blocks = dersOf(pem);
    const [der, ...sent] = blocks ?? [];
    const base = { seen: 'store', where: `pki/${one.path}`, name: one.name } as const;
    const entry = one.beside === undefined ? observed.get(one.name) : undefined;
    const own = one.beside === undefined ? differences(one.name, entry, diff) : [];
    if (der === undefined) return [{ ...base, findings: own.length > 0 ? own : [noCertificate] }];
    const known = authorities.filter(({ name }) => baseOf(name) === one.authority);
    const { roles } = one;
    const found = assess(der, {
      ...options,
      roles,
      sent,
      authorities: known,
      revoked: revoked.get(one.authority) ?? [],
      idle: one.beside === 'previous',
    });
    const planned = plan.authorities.find(({ id }) => id === one.authority);
    const signs = roles.includes('ca') && one.beside !== 'previous' && planned !== undefined;
    const limits = signs ? authorityFindings(planned, pem) : [];
    return [{ ...base, ...found, findings: [...found.findings, ...limits, ...own] }];
  });
  return {
    certificates: [...certificates, ...strays(plan, folder, authorities, options)],
    others: [
      ...others(diff, new Set(certificates.map(({ name }) => name ?? ''))),
      ...revocations.flatMap(({ id, list }) => listAge(id, list, options.now)),
      ...openKeys
        .filter(({ path }) => !listed.some((one) => one.beside === undefined && keyPath(one) === path))
        .map(({ path, mode }) => ({ name: path, ...keyOpen(mode) })),
    ],
    notes: diff.notes.filter(({ code }) => code === undefined).map(({ message }) => message),
    authorities,
    revoked,
  };
}

function readPems(files: StoreFiles, listed: readonly Listed[]): ReadonlyMap<string, string> {
  return new Map(
    listed.flatMap(({ path }): [string, string][] => {
      const reading = files.read(path);
      return reading.state === 'read' ? [[path, reading.content.toString('utf8')]] : [];
    }),
  );
}

/** Its own certificate alone: those above it are nobody's anchor. */
function knownAuthority(name: string, pem: string | undefined): KnownAuthority[] {
  try {
    const [certificate] = pem === undefined ? [] : certificatesOf(pem);
    return certificate === undefined ? [] : [{ name, certificate }];
  } catch {
    return [];
  }
}

function dersOf(pem: string): readonly Buffer[] | undefined {
  try {
    return pemBlocks(pem, 'it')
      .filter(({ label }) => label.endsWith('CERTIFICATE'))
      .map(({ der }) => der);
  } catch {
    return undefined;
  }
}

const noCertificate: CertificateFinding = {
  code: 'unreadable',
  severity: 'fail',
  message: 'there is no certificate in it that can be read',
  next: 'restore it from a backup, or remove it and run `kbin pki init`',
};

/** Of hosts that have left cluster.yaml. Nobody uses them. */
function strays(
  plan: CertificatePlan,
  folder: string,
  authorities: readonly KnownAuthority[],
  options: StoreCheckOptions,
): SeenCertificate[] {
  return strayCertificates(plan, folder).flatMap(({ id, file, info }): SeenCertificate[] => {
    const base = { seen: 'store', where: `pki/${file}`, name: id } as const;
    const [der] = info === undefined ? [] : (dersOf(info.pem) ?? []);
    if (der === undefined) return [{ ...base, findings: [{ ...noCertificate, severity: 'warn' }] }];
    const found = assess(der, { ...options, authorities, idle: true });
    const left: CertificateFinding = {
      code: 'not-in-plan',
      severity: 'warn',
      message: 'nothing in cluster.yaml wants it any more',
      next: 'remove it and its key once its host is gone for good',
    };
    return [{ ...base, ...found, findings: [...found.findings, left] }];
  });
}
