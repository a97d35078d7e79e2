import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import type { Role } from './lint.ts';

/** A place in pki/ for a certificate, and what belongs there. */
export interface Listed {
  readonly name: string;
  readonly path: string;
  readonly roles: readonly Role[];
  /** Id of the CA that it leads to. */
  readonly authority: string;
  readonly beside?: 'next' | 'previous';
}

export function plannedCertificates(plan: CertificatePlan): readonly Listed[] {
  return plan.authorities.flatMap((authority) => {
    const { id, leaves } = authority;
    const ca = { roles: ['ca'] as const, authority: id };
    return [
      ...inUse(id).map((one) => ({ ...one, ...ca })),
      ...beside(id).map((one) => ({ ...one, ...ca })),
      ...leaves.flatMap((leaf) =>
        inUse(leaf.id).map((one) => ({ ...one, roles: rolesOf(leaf.usages), authority: id })),
      ),
    ];
  });
}

function inUse(id: string): { name: string; path: string }[] {
  const { certificate } = pathsOf(id);
  return certificate === undefined ? [] : [{ name: id, path: certificate }];
}

function beside(id: string): { name: string; path: string; beside: 'next' | 'previous' }[] {
  return (['next', 'previous'] as const).flatMap((where) => {
    const { certificate } = pathsBeside(where, id);
    return certificate === undefined ? [] : [{ name: `${where}/${id}`, path: certificate, beside: where }];
  });
}

export const baseOf = (name: string): string => name.replace(/^(next|previous)\//, '');

export function rolesOf(usages: readonly string[]): readonly Role[] {
  return [
    ...(usages.includes('server auth') ? (['server'] as const) : []),
    ...(usages.includes('client auth') ? (['client'] as const) : []),
  ];
}

export const keyPath = ({ path }: Listed): string => path.replace(/\.crt$/, '.key');
