import { serviceAccount } from '../../pki/service-account.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import { publicKeyIn, retiredFiles, sign, verify } from './rotate-service-account.ts';
import { atRest } from './rotation.ts';
import type { StoreFiles } from './store-files.ts';

const { id } = serviceAccount;

/** The public keys as a host may have them, and what that tells of the host. */
export interface KeysOfPhase {
  readonly phase: number;
  /** In one file, PEM. */
  readonly pem: string;
  readonly says: string;
}

/** In every phase of the rotation that is under way, or of those that have ended: a host may not have been told yet. */
export function keysOfPhases(files: StoreFiles): readonly KeysOfPhase[] {
  const at = (path: string): string | undefined => {
    const reading = files.read(path);
    return reading.state === 'read' ? reading.content.toString('utf8') : undefined;
  };
  const own = at(publicKeyIn(pathsOf(id)));
  if (own === undefined) return [];
  const next = at(publicKeyIn(pathsBeside('next', id)));
  const previous = at(publicKeyIn(pathsBeside('previous', id)));
  const course = (old: string, young: string): readonly KeysOfPhase[] => [
    { phase: verify, pem: old + young, says: 'accepts tokens of both keys, the old one signs' },
    { phase: sign, pem: young + old, says: 'accepts tokens of both keys, the new one signs' },
    ...[old, young].map((pem) => ({ phase: atRest, pem, says: 'accepts tokens of one key' })),
  ];
  if (previous !== undefined) return course(previous, own);
  if (next !== undefined) return course(own, next);
  const former = retiredFiles(files).flatMap((path) => at(path) ?? []);
  return [
    { phase: atRest, pem: own, says: 'accepts tokens of one key' },
    ...former.flatMap((pem) => course(pem, own)),
  ];
}
