import type { AuthorityEntry, LeafEntry } from '../../pki/entry.ts';
import { authorities, keyPairs, keyRings } from '../../pki/index.ts';
import { type Profile, type ProfileName, profiles } from '../../pki/profiles.ts';
import type { Usage } from '../../pki/usages.ts';
import { type Cluster, type ClusterHost, hostsWithRole, type KeyAlgorithm } from '../cluster/cluster.ts';
import { exitCode, KbinError } from '../errors.ts';
import {
  type CertificatePlan,
  type PlannedAuthority,
  type PlannedLeaf,
  type Subject,
  subjectOrder,
} from './certificate-plan.ts';
import { pkiMistakes } from './certificate-rules.ts';
import { subjectAlternativeNames } from './certificate-sans.ts';

/**
 * Every certificate that the cluster needs. The CAs and what belongs to the cluster as a whole are always part of it,
 * also where no host has a control plane (yet): they are the cluster's identity, best made once, on the machine that
 * keeps the CA keys. What belongs to a host is made for the hosts that cluster.yaml gives the role.
 *
 * Throws KbinError (exit 2) with all mistakes of `pki:` that only show against the list in pki/.
 */
export function certificatePlan(cluster: Cluster): CertificatePlan {
  const mistakes = pkiMistakes(cluster);
  if (mistakes.length > 0) {
    throw new KbinError(`pki: in cluster.yaml asks for what cannot be made\n${mistakes.join('\n')}`, {
      step: 'certificate plan',
      next: 'correct cluster.yaml',
      exit: exitCode.usage,
    });
  }
  return {
    authorities: authorities.map((entry) => plannedAuthority(cluster, entry)),
    keyPairs: keyPairs.map(({ id, purpose }) => ({ id, purpose, key: cluster.pki.key })),
    keyRings: keyRings.map(({ id, purpose }) => ({ id, purpose })),
  };
}

function plannedAuthority(cluster: Cluster, entry: AuthorityEntry): PlannedAuthority {
  return {
    id: entry.id,
    purpose: entry.purpose,
    subject: subject(cluster, entry.commonName, cluster.pki.subject.O),
    ...terms(cluster, entry.profile),
    revocationListHours: cluster.pki.validity.crl,
    leaves: entry.leaves.flatMap((leaf) =>
      hostsOf(cluster, leaf).map((host) => plannedLeaf(cluster, entry, leaf, host)),
    ),
  };
}

function hostsOf(cluster: Cluster, { per }: LeafEntry): readonly (ClusterHost | undefined)[] {
  return per === 'cluster' ? [undefined] : hostsWithRole(cluster, per);
}

function plannedLeaf(
  cluster: Cluster,
  authority: AuthorityEntry,
  entry: LeafEntry,
  host: ClusterHost | undefined,
): PlannedLeaf {
  const id = host === undefined ? entry.id : `${entry.id}@${host.name}`;
  return {
    id,
    purpose: entry.purpose,
    entry: entry.id,
    authority: authority.id,
    ...(host === undefined ? {} : { host: host.name }),
    subject: subject(cluster, commonName(entry, host), organization(cluster, authority, entry)),
    ...terms(cluster, entry.profile),
    ...subjectAlternativeNames(cluster, entry, host, id),
  };
}

function commonName({ id, commonName: name }: LeafEntry, host: ClusterHost | undefined): string {
  if (typeof name === 'string') return name;
  if (host === undefined) throw new Error(`pki/: ${id} is named after a host but made once for the cluster`);
  return name(host);
}

/** kube-apiserver takes O for a group, of whatever name, and RBAC may grant something to any group. */
function organization({ pki }: Cluster, authority: AuthorityEntry, entry: LeafEntry): string | undefined {
  const identifies = authority.organizationIsGroup === true && entry.profile === 'client';
  return entry.organization ?? (identifies ? undefined : pki.subject.O);
}

function subject(cluster: Cluster, CN: string, O: string | undefined): Subject {
  const fields = { ...cluster.pki.subject, O, CN };
  return subjectOrder.flatMap((type) => {
    const value = fields[type];
    return value === undefined || value === '' ? [] : [{ type, value }];
  });
}

/** What a profile asks for in this cluster. */
export function terms(
  cluster: Cluster,
  name: ProfileName,
): Pick<PlannedLeaf, 'key' | 'usages' | 'validityHours'> {
  const profile: Profile = profiles[name];
  const { key, validity } = cluster.pki;
  return { key, usages: usagesFor(profile, key), validityHours: validity[profile.expiry] };
}

/**
 * cfssl writes what the profile says for any key. But an elliptic-curve key cannot encipher, and RFC 8813 section 3
 * says that its certificate must not claim it.
 */
function usagesFor({ usages }: Profile, key: KeyAlgorithm): readonly Usage[] {
  return key.startsWith('ecdsa') ? usages.filter((usage) => usage !== 'key encipherment') : usages;
}
