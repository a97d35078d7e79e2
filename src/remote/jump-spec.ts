import { exitCode, KbinError } from '../errors.ts';

/** One hop of a ProxyJump: `[user@]host[:port]` or `ssh://[user@]host[:port]`. */
export interface JumpSpec {
  readonly text: string;
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** Hops separated by commas, the nearest first; `none` is none. @throws KbinError (usage) for a hop that is none. */
export function parseJumps(text: string): JumpSpec[] {
  if (text.trim().toLowerCase() === 'none') return [];
  return text.split(',').map((hop) => parseJump(hop.trim()));
}

function parseJump(text: string): JumpSpec {
  const rest = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const at = rest.lastIndexOf('@');
  const user = at > 0 ? rest.slice(0, at) : undefined;
  const place = rest.slice(at + 1);
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(place);
  const plain = /^([^:\s]+)(?::(\d+))?$/.exec(place);
  const address = /^[\da-f:.]+$/i.test(place) && place.split(':').length > 2 ? [place, place] : undefined;
  const [, host, digits] = bracketed ?? plain ?? address ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (!host || at === 0 || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new KbinError(`"${text}" is no jump host`, {
      next: 'write it as [user@]host[:port]; an IPv6 address with a port as [address]:port',
      exit: exitCode.usage,
    });
  }
  return { text, host, ...(user && { user }), ...(port && { port }) };
}
