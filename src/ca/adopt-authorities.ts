import { X509Certificate } from 'node:crypto';
import { findEntry } from '../../pki/index.ts';
import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { fieldOf, isLeaf, kindOf, type Landscape } from './adopt-kinds.ts';
import { type AdoptionFinding, type AdoptionWishes, placesText } from './adoption.ts';
import { isIssuedBy, isRoot } from './chain.ts';
import type { Found, FoundCertificate } from './found.ts';

/** A CA as the store will have it. */
export interface ChosenAuthority {
  /** Undefined: the store's own, of which nothing was found. */
  readonly found?: FoundCertificate;
  /** Its file: its own certificate, then those above it. */
  readonly pem: string;
  readonly x509: X509Certificate;
}

export interface AuthoritiesChosen {
  readonly chosen: ReadonlyMap<string, ChosenAuthority>;
  readonly findings: readonly AdoptionFinding[];
}

/**
 * Which CA is which. What a CA has signed tells: certificates that speak of Kubernetes, of etcd's hosts, of the front
 * proxy; where it has signed nothing that was found, its name does. `inStore`: files of the CAs that the store has.
 */
export function chooseAuthorities(
  found: Found,
  landscape: Landscape,
  inStore: ReadonlyMap<string, string>,
  wishes: AdoptionWishes,
): AuthoritiesChosen {
  const cas = found.certificates.filter((certificate) => certificate.info.isCa);
  const chosen = new Map<string, ChosenAuthority>();
  const findings: AdoptionFinding[] = [];
  for (const authority of landscape.plan.authorities) {
    const { id } = authority;
    if (wishes.skip.has(id)) continue;
    const stored = inStore.get(id);
    const meant = wishes.as.get(id);
    const candidates =
      meant === undefined
        ? candidatesFor(authority, cas, found, landscape)
        : cas.filter(({ places }) => places.includes(meant));
    const [first, ...others] = latestOfEachKey(candidates);
    if (stored !== undefined) {
      const x509 = new X509Certificate(stored);
      const same = first === undefined || first.x509.raw.equals(x509.raw);
      const isStored = candidates.some((candidate) => candidate.x509.raw.equals(x509.raw));
      chosen.set(id, { pem: stored, x509, ...(isStored && first !== undefined ? { found: first } : {}) });
      if (!same && !isStored && others.length === 0) findings.push(otherCa(id, first, x509));
      continue;
    }
    if (first === undefined) continue;
    if (others.length > 0) {
      findings.push(ambiguous(id, [first, ...others]));
      continue;
    }
    chosen.set(id, { found: first, pem: withThoseAbove(first, cas), x509: first.x509 });
  }
  return { chosen: withoutSharedFrontProxy(chosen, inStore, findings), findings };
}

function candidatesFor(
  authority: PlannedAuthority,
  cas: readonly FoundCertificate[],
  { certificates }: Found,
  landscape: Landscape,
): FoundCertificate[] {
  const signed = certificates.filter(
    (certificate) => isLeaf(certificate) && kindOf(certificate, landscape) === authority.id,
  );
  const signers = cas.filter((ca) => signed.some(({ x509 }) => isIssuedBy(x509, ca.x509)));
  if (signers.length > 0) return signers;
  const names = new Set([authority.id, findEntry(authority.id)?.authority.commonName ?? ''].map(bare));
  return cas.filter(({ info }) => names.has(bare(fieldOf(info.subjectFields, 'CN') ?? '')));
}

/** `etcd CA` is `etcd-ca`. */
const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** A CA that was renewed with its key is one CA; of its certificates the one that lasts longest. */
function latestOfEachKey(candidates: readonly FoundCertificate[]): FoundCertificate[] {
  const byKey = new Map<string, FoundCertificate>();
  for (const candidate of candidates) {
    const key = `${candidate.spki} ${candidate.info.subject}`;
    const known = byKey.get(key);
    if (known === undefined || known.info.notAfter < candidate.info.notAfter) byKey.set(key, candidate);
  }
  return [...byKey.values()];
}

export function withThoseAbove(ca: FoundCertificate, cas: readonly FoundCertificate[]): string {
  const path = [ca];
  for (let last: FoundCertificate | undefined = ca; last !== undefined && !isRoot(last.x509); ) {
    const below: FoundCertificate = last;
    last = cas.find((candidate) => !path.includes(candidate) && isIssuedBy(below.x509, candidate.x509));
    if (last !== undefined) path.push(last);
  }
  return path.map(({ info }) => info.pem).join('');
}

/** Whoever holds a certificate of the CA that clients have could tell an extension apiserver any user name it likes. */
function withoutSharedFrontProxy(
  chosen: ReadonlyMap<string, ChosenAuthority>,
  inStore: ReadonlyMap<string, string>,
  findings: AdoptionFinding[],
): ReadonlyMap<string, ChosenAuthority> {
  const [proxy, clients, etcd] = ['front-proxy-ca', 'kubernetes-ca', 'etcd-ca'].map((id) => chosen.get(id));
  if (etcd !== undefined && clients !== undefined && etcd.x509.raw.equals(clients.x509.raw)) {
    findings.push({
      severity: 'warning',
      code: 'one-ca',
      id: 'etcd-ca',
      places: clients.found?.places ?? [],
      message:
        'one CA signs for etcd and for Kubernetes: any client of the API may read and write all of etcd',
      next: 'give etcd a CA of its own: kbin pki rotate etcd-ca',
    });
  }
  if (proxy === undefined || clients === undefined || inStore.has('front-proxy-ca')) return chosen;
  if (!proxy.x509.raw.equals(clients.x509.raw)) return chosen;
  findings.push({
    severity: 'warning',
    code: 'requestheader-ca',
    id: 'front-proxy-ca',
    places: proxy.found?.places ?? [],
    message:
      "the front proxy's client is signed by the CA of all clients: each of them could pass for any user at an extension apiserver. It is not adopted",
    next: 'kbin pki init makes a front-proxy-ca; nothing but apiservers and extension apiservers depends on it',
  });
  return new Map([...chosen].filter(([id]) => id !== 'front-proxy-ca'));
}

function ambiguous(id: string, candidates: readonly FoundCertificate[]): AdoptionFinding {
  const places = candidates.map((candidate) => candidate.places[0] ?? '');
  const each = candidates.map(
    ({ info, places: [place] }) =>
      `${place} (${info.subject}, until ${info.notAfter.toISOString().slice(0, 10)})`,
  );
  return {
    severity: 'stop',
    code: 'ambiguous',
    id,
    places,
    message: `more than one CA could be ${id}: ${each.join(' and ')}`,
    next: `say which: --as ${id}=${places[0]}`,
  };
}

function otherCa(id: string, found: FoundCertificate, stored: X509Certificate): AdoptionFinding {
  return {
    severity: 'stop',
    code: 'conflict',
    id,
    places: found.places,
    message: `the store has another ${id} (${stored.subject.replaceAll('\n', ', ')}, serial ${stored.serialNumber}) than ${placesText(found.places)} (${found.info.subject}, serial ${found.info.serial})`,
    next: `a CA in use is only replaced by "kbin pki rotate ${id}"; to adopt another cluster's, do so with an empty pki folder; to leave it out: --skip ${id}`,
  };
}
