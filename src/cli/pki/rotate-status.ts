import { noPassphrase } from '../../ca/passphrase.ts';
import { phaseName } from '../../ca/rotation.ts';
import { exitCode } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { rotationIds, rotationOf } from './live-rotations.ts';
import { hostRow, named, type RotatedHost } from './rotate-report.ts';
import { standingOf, withRun } from './rotation-run.ts';

export interface StatusOptions {
  readonly acceptNewHostKeys?: boolean;
}

/** Nobody is asked for a passphrase: without the next CA's key less is proven, and that is said. */
const lookOnly = {
  passphrase: noPassphrase,
  allow: { dropTokens: false },
} as const;

interface Status {
  readonly rotation: string;
  readonly phase: string;
  readonly says: string;
  /** In force on every host. */
  readonly proven: boolean;
  readonly hosts: readonly RotatedHost[];
}

/** Which phase every rotation is in, in the store and on each host. Changes nothing. */
export async function pkiRotateStatus(
  context: CliContext,
  what: string | undefined,
  options: StatusOptions,
): Promise<void> {
  const { io } = context;
  const ids = what === undefined ? rotationIds : [what];
  const opened = ids.map(rotationOf);
  const { statuses, complete } = await withRun(context, { ...options, ...lookOnly }, async (run) => {
    const found = await Promise.all(
      opened.map(async (open) => {
        const rotation = open(run);
        const { phase, proofs } = await standingOf(run, rotation);
        const { kind } = rotation;
        const status: Status = {
          rotation: kind.id,
          phase: phaseName(kind, phase),
          says: kind.phases[phase]?.says ?? 'no rotation is under way',
          proven: proofs.every(({ proven }) => proven),
          hosts: proofs.map((proof) => named(kind, proof)),
        };
        return { status, reached: proofs.every(({ reached }) => reached !== false) };
      }),
    );
    return {
      statuses: found.map(({ status }) => status),
      complete: found.every(({ reached }) => reached),
    };
  });
  if (context.json) printJson(io, statuses);
  else {
    printTable(
      io,
      ['rotation', 'phase', 'host', 'phase there', 'proven', 'seen'],
      statuses.flatMap(({ rotation, phase, hosts }) =>
        hosts.length === 0
          ? [[rotation, phase, undefined, undefined, undefined, 'no host has anything of it']]
          : hosts.map((host) => [rotation, phase, ...hostRow(host)]),
      ),
    );
  }
  if (!complete) context.exit(exitCode.failed);
  else if (statuses.some(({ proven }) => !proven)) context.exit(exitCode.unhealthy);
}
