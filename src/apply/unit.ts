import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import { lastLines } from './journal-lines.ts';
import { likelyCause } from './likely-cause.ts';

/** A unit that was just started or restarted on a host. */
export interface StartedUnit {
  readonly host: Host;
  readonly unit: string;
  /** Seconds since 1970 by the host's clock: its journal from then on is about this start. 0: it ran already. */
  readonly began: number;
}

interface UnitState {
  readonly activeState: string;
  readonly subState: string;
  readonly restarts: number;
}

/** Milliseconds between two looks at the units. */
const pauseMs = 500;
/** Causes that may pass by themselves: one crash with such a line is no verdict. */
const passing: readonly string[] = [
  'no-peers',
  'killed-by-timeout',
  'data-in-use',
  'etcd-unreachable',
  'apiserver-unreachable',
  'leadership-lost',
];

/**
 * Runs `wait` and watches the units meanwhile: one that crashes with a cause that cannot pass, or twice, ends the wait
 * with a KbinError that has the journal's last lines. A wait that fails by itself gets those lines too.
 * Afterwards every unit is active.
 */
export async function whileAlive<T>(
  units: readonly StartedUnit[],
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watching = Promise.all(units.map((started) => watch(started, over.signal)));
  // Only its failure is of interest; after the wait it ends by the signal.
  const failure = new Promise<never>((_, reject) => watching.catch(reject));
  try {
    const result = await Promise.race([wait(over.signal), failure]);
    await Promise.race([Promise.all(units.map(untilActive)), failure]);
    return result;
  } catch (error) {
    throw await withJournal(error, units);
  } finally {
    over.abort();
  }
}

async function watch(started: StartedUnit, signal: AbortSignal): Promise<void> {
  const first = await look(started);
  for (let now = first; !signal.aborted; now = await look(started)) {
    const crashed = now.activeState === 'failed' || now.subState.startsWith('auto-restart');
    if (crashed && (await isFinal(started, now, first))) {
      throw new KbinError(`${started.unit} does not stay up`, {
        host: started.host.name,
        step: `start ${started.unit}`,
      });
    }
    await sleep(pauseMs);
  }
}

async function isFinal(started: StartedUnit, now: UnitState, first: UnitState): Promise<boolean> {
  if (now.activeState === 'failed' || now.restarts > first.restarts) return true;
  const cause = likelyCause(await journal(started), started.unit);
  return cause !== undefined && !passing.includes(cause.code);
}

async function untilActive(started: StartedUnit): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 100) {
    if ((await look(started)).activeState === 'active') return;
    await sleep(100);
  }
  throw new KbinError(`${started.unit} answers, but systemd does not call it active after 60 s`, {
    host: started.host.name,
    step: `start ${started.unit}`,
    next: `Look at \`systemctl status ${started.unit}\` on the host.`,
  });
}

async function look({ host, unit }: StartedUnit): Promise<UnitState> {
  const { stdout } = await host.run(['systemctl', 'show', '--property=ActiveState,SubState,NRestarts', unit]);
  const property = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  return {
    activeState: property('ActiveState'),
    subState: property('SubState'),
    restarts: Number(property('NRestarts') || 0),
  };
}

/** The unit's journal since it was started, at most the last 500 lines: the usage that follows an unknown flag has 330. */
async function journal({ host, unit, began }: StartedUnit): Promise<string> {
  const { stdout } = await host.run([
    'journalctl',
    `--unit=${unit}`,
    `--since=${began === 0 ? '-2min' : `@${began}`}`,
    '--lines=500',
    '--output=cat',
    '--no-pager',
    '--quiet',
  ]);
  return stdout;
}

/** The error again, with what the journal of the unit that it is about says. */
async function withJournal(error: unknown, units: readonly StartedUnit[]): Promise<unknown> {
  if (!(error instanceof KbinError)) return error;
  const { host } = error.details;
  const journals = await Promise.all(
    units
      .filter((started) => host === undefined || started.host.name === host)
      .map(async (started) => ({ started, text: await journal(started).catch(() => '') })),
  );
  const telling =
    journals.find(({ text, started }) => likelyCause(text, started.unit) !== undefined) ?? journals[0];
  if (telling === undefined) return error;
  const cause = likelyCause(telling.text, telling.started.unit);
  return new KbinError(error.message, {
    ...error.details,
    host: telling.started.host.name,
    ...(cause === undefined ? {} : { why: join(error.details.why, cause.why), next: cause.next }),
    output: lastLines(telling.text),
    cause: error,
  });
}

function join(first: string | undefined, second: string): string {
  return first === undefined ? second : `${first}; the journal says that ${second}`;
}
