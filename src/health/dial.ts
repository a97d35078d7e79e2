import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import type { Dial } from './target.ts';

/** Straight over TCP. */
export const dialDirect: Dial = (address, port, deadlineMs) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new DeadlineError(`no TCP connection to ${address} port ${port} after ${deadlineMs} ms`));
    }, deadlineMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });

/**
 * Through the SSH connection of a host, for members whose client port is closed to the operator. Rejects with an
 * OutOfReachError when no answer comes from sshd: the host then said nothing about the port.
 */
export function dialThrough(host: () => Promise<Host>): Dial {
  return async (address, port, deadlineMs) => {
    const opening = host().then((opened) => opened.forward(address, port).catch(refusedThere));
    const what = `no SSH forwarding to ${address} port ${port}`;
    try {
      return await withDeadline(opening, deadlineMs, what);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      throw new OutOfReachError(
        `does not answer (${error.message})`,
        'see whether the host is frozen or cut off',
      );
    }
  };
}

/** sshd's word for a port that nobody listens on, as a straight connection would have it. */
function refusedThere(error: unknown): never {
  const why = error instanceof KbinError ? error.details.why : undefined;
  throw why === undefined || !/^Connection refused/i.test(why)
    ? error
    : new Error('ECONNREFUSED on the host itself', { cause: error });
}

/** Nobody got as far as the member's port: that says nothing about the member. */
export class OutOfReachError extends Error {
  override readonly name = 'OutOfReachError';
  /** What to do, in a clause. */
  readonly next: string;

  /** `message` is a clause that reads after the member's name. */
  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** A wait that ran out. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** Rejects with a DeadlineError `WHAT after N ms` when `work` has not settled by then; a late stream is destroyed. */
export function withDeadline<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new DeadlineError(`${what} after ${deadlineMs} ms`));
    }, deadlineMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        if (late) (value as Partial<Duplex> | undefined)?.destroy?.();
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
