import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import { dialDirect, dialThrough, OutOfReachError } from './dial.ts';
import type { Dial } from './target.ts';

/** Milliseconds that a straight connection has before one through SSH is tried beside it. */
const headStartMs = 1000;

export interface EitherDial {
  readonly dial: Dial;
  /** Why SSH was the way to this port last time, in a clause; undefined where a straight connection came about. */
  detour(address: string, port: number): string | undefined;
}

/**
 * Straight over TCP; through the host's own SSH connection where that fails. A member whose port is closed to this
 * machine is asked all the same, and one that refuses was asked on its own host. Rejects with an OutOfReachError where
 * neither way tells anything about the member: such a one must not be taken for broken.
 */
export function dialEither(host: () => Promise<Host>): EitherDial {
  const throughSsh = dialThrough(host);
  const detours = new Map<string, Detour>();
  const dial: Dial = async (address, port, deadlineMs) => {
    const place = `${address}:${port}`;
    // Waiting for it again would only cost time. A refusal costs none, and may be over.
    if (detours.get(place) === 'packets are dropped') return throughSsh(address, port, deadlineMs);
    const end = performance.now() + deadlineMs;
    const straight = dialDirect(address, port, deadlineMs);
    const refused = await Promise.race([
      straight.then(
        () => undefined,
        () => true,
      ),
      sleep(headStartMs, false, { ref: false }),
    ]);
    if (refused === undefined) {
      detours.delete(place);
      return straight;
    }
    const other = throughSsh(address, port, Math.max(1, Math.round(end - performance.now())));
    const won = await firstOf(straight, other);
    if (won.way === 'straight') detours.delete(place);
    else detours.set(place, refused ? 'connections are refused' : 'packets are dropped');
    return won.stream;
  };
  return { dial, detour: (address, port) => detours.get(`${address}:${port}`) };
}

type Detour = 'connections are refused' | 'packets are dropped';

async function firstOf(
  straight: Promise<Duplex>,
  other: Promise<Duplex>,
): Promise<{ readonly way: 'straight' | 'ssh'; readonly stream: Duplex }> {
  const named = [
    straight.then((stream) => ({ way: 'straight' as const, stream })),
    other.then((stream) => ({ way: 'ssh' as const, stream })),
  ];
  try {
    const won = await Promise.any(named);
    (won.way === 'straight' ? other : straight).then(
      (late) => late.destroy(),
      () => {},
    );
    return won;
  } catch (error) {
    throw telling(...((error as AggregateError).errors as [Error, Error]));
  }
}

/** What the host itself found counts; where it could not be asked, nothing is known. */
function telling(straight: Error, other: Error): Error {
  if (other.message.includes('ECONNREFUSED')) return other;
  const why = other instanceof KbinError ? other.details.why : undefined;
  return new OutOfReachError(
    `cannot be reached from this machine (${straight.message}), nor through its host (${why ?? other.message})`,
    'open its port to this machine, or let sshd on its host forward to it (AllowTcpForwarding)',
  );
}
