import { pathsBeside, pathsOf } from './layout.ts';
import { firstCertificate } from './pem.ts';
import { issue, trust } from './rotate-authority.ts';
import { atRest } from './rotation.ts';
import type { StoreFiles } from './store-files.ts';

/** A bundle of the CA as a host may have it, and what it tells of the host. */
export interface BundleOfPhase {
  /** Index; `atRest` of the CA that is in use, or of the one before it where that is still in use in this phase. */
  readonly phase: number;
  readonly pem: string;
  readonly says: string;
}

/**
 * Every bundle that a host may have been given in the course of a rotation, by the phase that gave it. After the last
 * phase, what is in archive/ tells of a host that it has not been dropped from yet.
 */
export function bundlesOfPhases(id: string, files: StoreFiles): readonly BundleOfPhase[] {
  const at = (path: string | undefined): string | undefined => {
    const reading = files.read(path ?? '');
    return reading.state === 'read' ? firstCertificate(reading.content.toString('utf8')) : undefined;
  };
  const own = at(pathsOf(id).certificate);
  if (own === undefined) return [];
  const next = at(pathsBeside('next', id).certificate);
  const previous = at(pathsBeside('previous', id).certificate);
  const alone = (pem: string): BundleOfPhase => ({ phase: atRest, pem, says: 'trusts one CA alone' });
  if (previous !== undefined) return [...course(previous, own), alone(previous), alone(own)];
  if (next !== undefined) return [...course(own, next), alone(own)];
  const former = files
    .list()
    .filter((path) => path.startsWith(`archive/${id}/`) && path.endsWith('.crt'))
    .flatMap((path) => at(path) ?? [])
    .filter((pem) => pem !== own);
  return [alone(own), ...former.flatMap((pem) => course(pem, own))];
}

const course = (old: string, young: string): BundleOfPhase[] => [
  { phase: trust, pem: old + young, says: 'trusts both, the old CA first' },
  { phase: issue, pem: young + old, says: 'trusts both, the new CA first' },
];
