import type { Check } from '../../check.ts';
import type { ControlPlaneEvidence } from '../../control-plane-evidence.ts';
import { anonymousRefused, apiserverLive, apiserverReachable, apiserverReady } from './apiservers.ts';
import { clientCertificates, servedCertificates } from './certificates.ts';
import { componentsHealthy } from './components.ts';
import { encryptionAtRest } from './encryption.ts';
import { etcdReached } from './etcd-reached.ts';
import { leaders } from './leaders.ts';
import { canariesDeleted, objectsAgree } from './objects-agree.ts';
import { rbacObjects } from './rbac-objects.ts';
import { storedSecrets } from './stored-secrets.ts';
import { tokensAccepted } from './tokens.ts';
import { apiserverVersion, versionSkew } from './versions.ts';

/** A pure judgement of what was seen; it may say nothing at all. */
export type ControlPlaneJudgement = (evidence: ControlPlaneEvidence) => readonly Check[];

/** Every check there is, in the order in which reports show them. */
const judgements: readonly ControlPlaneJudgement[] = [
  apiserverReachable,
  apiserverLive,
  apiserverReady,
  apiserverVersion,
  versionSkew,
  componentsHealthy,
  leaders,
  etcdReached,
  objectsAgree,
  encryptionAtRest,
  storedSecrets,
  tokensAccepted,
  canariesDeleted,
  rbacObjects,
  anonymousRefused,
  servedCertificates,
  clientCertificates,
];

export function judgeControlPlane(evidence: ControlPlaneEvidence): readonly Check[] {
  return judgements.flatMap((judgement) => judgement(evidence));
}
