import type { AssessOptions } from '../../ca/assess-findings.ts';
import { rolesOf } from '../../ca/check-places.ts';
import type { StoreCheck } from '../../ca/check-store.ts';
import { fingerprint } from '../../ca/inspect.ts';
import type { Role } from '../../ca/lint.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';

/** What the plan and the store know of certificates that are seen elsewhere. */
export interface Known {
  /** Name in the store of this very certificate: `etcd-server@node1`, `next/etcd-ca`. */
  nameOf(der: Buffer): string | undefined;
  /** How one is judged that lies, or is shown, where this id of the plan belongs. */
  termsOf(id: string): Pick<AssessOptions, 'roles' | 'authorities' | 'revoked' | 'now' | 'withinHours'>;
}

export function knownOf(
  plan: CertificatePlan,
  { certificates, authorities, revoked }: StoreCheck,
  terms: { readonly now: Date; readonly withinHours: number },
): Known {
  const names = new Map(
    certificates.flatMap(({ info, name }): [string, string][] =>
      info === undefined || name === undefined ? [] : [[info.fingerprints.sha256, name]],
    ),
  );
  const places = new Map<string, { roles: readonly Role[]; authority: string }>(
    plan.authorities.flatMap(({ id, leaves }) => [
      [id, { roles: ['ca'], authority: id }],
      ...leaves.map((leaf): [string, { roles: readonly Role[]; authority: string }] => [
        leaf.id,
        { roles: rolesOf(leaf.usages), authority: id },
      ]),
    ]),
  );
  return {
    nameOf: (der) => names.get(fingerprint(der, 'sha256')),
    termsOf(id) {
      const place = places.get(id.replace(/^(next|previous)\//, ''));
      if (place === undefined) return { ...terms, authorities };
      const own = authorities.filter(({ name }) => name.split('/').at(-1) === place.authority);
      return {
        ...terms,
        roles: place.roles,
        authorities: own,
        revoked: revoked.get(place.authority) ?? [],
      };
    },
  };
}
