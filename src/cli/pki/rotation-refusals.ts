import { atRest, phaseName, type RotationKind } from '../../ca/rotation.ts';
import { KbinError } from '../../errors.ts';
import type { DeployName } from '../deploy-kinds.ts';
import type { Standing } from './rotation-run.ts';

/** For a sentence: `phase trust`. */
export const nameOf = (kind: RotationKind, phase: number): string =>
  phase === atRest ? 'the end: the old one goes' : `phase ${phaseName(kind, phase)}`;

const seen = ({ proofs }: Standing): string =>
  proofs
    .filter(({ proven }) => !proven)
    .map(({ host, says }) => `${host}: ${says}`)
    .join('\n');

export function refuseUnreached(kind: RotationKind, { phase, proofs }: Standing): void {
  const silent = proofs.filter(({ reached }) => reached === false);
  const [first] = silent;
  if (first === undefined) return;
  throw new KbinError(
    `${silent.map(({ host }) => host).join(', ')} cannot be looked at: nothing is proven there`,
    {
      ...(silent.length === 1 ? { host: first.host } : {}),
      step: `rotate ${kind.id}, ${phase === atRest ? 'at rest' : `phase ${phaseName(kind, phase)}`}`,
      why: first.says,
      next: 'bring the host back, or take it out of cluster.yaml if it is gone for good; no phase goes on without one that is in it',
    },
  );
}

export function notInForce(kind: RotationKind, standing: Standing): KbinError {
  return new KbinError(`${kind.id}: ${nameOf(kind, standing.phase)} is not in force on every host`, {
    step: `rotate ${kind.id}`,
    why: 'the deploys are done, and yet not all is as it should be',
    next: `see to it, and run \`kbin pki rotate ${kind.id}\` again: it carries on with this phase`,
    output: seen(standing),
  });
}

export function otherChanges(kind: RotationKind, standing: Standing): KbinError {
  return new KbinError('the hosts are not what cluster.yaml and pki/ say', {
    step: `rotate ${kind.id}, nothing was changed`,
    why: 'a rotation begins where nothing else is outstanding, so that what goes wrong has one reason',
    next: 'see `kbin plan`, deploy what it shows, and then rotate',
    output: seen(standing),
  });
}

export function unhealthy(id: string, name: DeployName): KbinError {
  return new KbinError(`the ${name === 'etcd' ? 'etcd' : 'control plane'} is not healthy`, {
    step: `rotate ${id}`,
    why: 'a phase is proven only where all is well',
    next: `see \`kbin ${name} status\`, and run \`kbin pki rotate ${id}\` again: it carries on`,
  });
}
