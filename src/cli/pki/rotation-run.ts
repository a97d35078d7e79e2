import type { PassphraseSource } from '../../ca/passphrase.ts';
import { openStore } from '../../ca/store.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { createConnect } from '../../remote/connect.ts';
import { shareConnections } from '../../remote/share.ts';
import type { CliContext } from '../context.ts';
import { livePlan } from '../live-plan.ts';
import { createProgress } from '../progress.ts';
import { rotationOf } from './live-rotations.ts';
import type { HostProof, LiveRotation, RotationAllowances, RotationRun } from './rotations.ts';

export interface RunOptions {
  readonly acceptNewHostKeys?: boolean;
  readonly passphrase: PassphraseSource;
  readonly allow: RotationAllowances;
}

/** One look at the cluster, with connections of its own: what was seen is of this moment, and forgotten afterwards. */
export async function withRun<T>(
  context: CliContext,
  options: RunOptions,
  work: (run: RotationRun) => Promise<T>,
): Promise<T> {
  const { io } = context;
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, options.passphrase);
  const progress = createProgress(
    io,
    cluster.hosts.map(({ name }) => name),
  );
  const { connect, close } = shareConnections(
    createConnect(cluster, {
      acceptNewHostKeys: options.acceptNewHostKeys === true,
      env: io.env,
      warn: progress.note,
      ...(io.interactive ? { askSecret: (question: string) => io.ask(question, { secret: true }) } : {}),
    }),
  );
  let looked: ReturnType<RotationRun['look']> | undefined;
  try {
    return await work({
      cluster,
      store,
      connect,
      now: () => new Date(),
      look: () => {
        looked ??= livePlan({ cluster, store, connect, onStep: progress.step });
        return looked;
      },
      say: progress.note,
      signal: context.interrupt(),
      allow: options.allow,
    });
  } finally {
    progress.end();
    await close();
  }
}

/** As the store has it, and as every host has it. */
export interface Standing {
  readonly phase: number;
  readonly proofs: readonly HostProof[];
}

export async function standingOf(run: RotationRun, rotation: LiveRotation): Promise<Standing> {
  const phase = phaseOf(run, rotation);
  return { phase, proofs: await rotation.prove(phase) };
}

export function phaseOf({ store }: RotationRun, { kind }: LiveRotation): number {
  return readConsistently(store.folder, (files) => kind.phase(files));
}

export const isProven = ({ proofs }: Standing): boolean => proofs.every(({ proven }) => proven);

/** With the rotation of that id. */
export function withRotation<T>(
  context: CliContext,
  id: string,
  options: RunOptions,
  work: (rotation: LiveRotation, run: RotationRun) => Promise<T>,
): Promise<T> {
  return withRun(context, options, (run) => work(rotationOf(id)(run), run));
}
