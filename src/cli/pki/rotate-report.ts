import { phaseName, type RotationKind } from '../../ca/rotation.ts';
import type { Io } from '../io.ts';
import { printTable } from '../output.ts';
import type { HostProof } from './rotations.ts';

/** How a rotation stands; --json shows it as it is. */
export interface Rotated {
  /** `etcd-ca` */
  readonly rotation: string;
  /** `trust`; `rest` where none is under way. */
  readonly phase: string;
  readonly says: string;
  /** This run did something. */
  readonly changed: boolean;
  readonly hosts: readonly RotatedHost[];
  /** The phase that the next run begins. */
  readonly next?: string;
  readonly meanwhile?: string;
}

export interface RotatedHost {
  readonly host: string;
  /** The phase that it was seen to be in; undefined: cannot be told. */
  readonly phase?: string;
  readonly proven: boolean;
  readonly says: string;
}

export function named(kind: RotationKind, { host, phase, proven, says }: HostProof): RotatedHost {
  return { host, ...(phase === undefined ? {} : { phase: phaseName(kind, phase) }), proven, says };
}

export function printRotation(
  io: Io,
  { rotation, phase, says, changed, hosts, next, meanwhile }: Rotated,
): void {
  io.out(`${rotation}: ${phase === 'rest' ? atRestText(changed) : `phase ${phase}: ${says}`}\n\n`);
  if (hosts.length === 0) io.out('no host has anything of it: pki/ is all that there is to change\n');
  else printTable(io, ['host', 'phase', 'proven', 'seen'], hosts.map(hostRow));
  io.out('\n');
  if (meanwhile !== undefined) io.out(`meanwhile: ${meanwhile}\n`);
  if (next !== undefined) {
    const what = next === 'rest' ? 'ends it: the old one goes' : `begins phase ${next}`;
    io.out(`next: \`kbin pki rotate ${rotation}\` ${what}; it may wait for days\n`);
  }
}

const atRestText = (changed: boolean): string =>
  changed
    ? 'rotated: the new one alone is in use, the old one is in pki/archive'
    : 'nothing to do: it was rotated in the last weeks; --again begins another rotation';

export const hostRow = ({ host, phase, proven, says }: RotatedHost): (string | undefined)[] => [
  host,
  phase,
  proven ? 'yes' : 'no',
  says,
];
