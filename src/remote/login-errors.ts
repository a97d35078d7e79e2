import { type ErrorDetails, KbinError } from '../errors.ts';
import type { Target } from './target.ts';

/** What the socket's error codes mean for somebody who wanted to log in. */
const socketCauses: Readonly<Record<string, { why: string; next: string }>> = {
  ECONNREFUSED: {
    why: 'the machine answers, but nothing listens on that port',
    next: 'start sshd there, or set ssh.port in cluster.yaml',
  },
  ETIMEDOUT: {
    why: 'nothing answers at that address',
    next: 'check that the machine is up, its address, and the firewalls in between',
  },
  EHOSTUNREACH: {
    why: 'the network says that this address cannot be reached',
    next: 'check that the machine is up, its address, and the route to it',
  },
  ENETUNREACH: {
    why: 'this machine has no route to that network',
    next: 'check the network here (a VPN?), or set ssh.jumpHost in cluster.yaml',
  },
  ENOTFOUND: {
    why: 'there is no such name in the DNS or /etc/hosts',
    next: 'correct the name, or give the address in cluster.yaml (ssh.host)',
  },
  EAI_AGAIN: {
    why: 'the DNS did not answer',
    next: 'check the name server here, or use the address instead',
  },
  ECONNRESET: {
    why: 'the server closed the connection before it said anything',
    next: 'sshd there may be refusing you for a while (MaxStartups, PerSourcePenalties, fail2ban): see its journal',
  },
};
const hungUp = {
  why: 'the server closed the connection in the middle of the login',
  next: "see sshd's journal on the host for the reason",
};
const sameAs: Readonly<Record<string, string>> = { EPIPE: 'ECONNRESET', EHOSTDOWN: 'EHOSTUNREACH' };

export function place(target: Target): string {
  return `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
}

/** The error of a connection that did not come about, in words. */
export function cannotConnect(target: Target, error: unknown, step: string): KbinError {
  if (error instanceof KbinError) return error;
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] };
  const named = code ?? errors?.[0]?.code ?? '';
  const found = socketCauses[sameAs[named] ?? named] ?? fromMessage(message);
  const known = step === 'log in' && found === socketCauses.ECONNRESET ? hungUp : found;
  return failed(target, step, {
    why: known?.why ?? message,
    ...(known && { next: known.next }),
    cause: error,
  });
}

export function connectTimedOut(target: Target, step: string, seconds: number): KbinError {
  const known = step.startsWith('connect') ? socketCauses.ETIMEDOUT : undefined;
  return failed(target, step, {
    why: `no answer within ${seconds} s${known ? '' : `; the last step was to ${step}`}`,
    next:
      known?.next ??
      'the machine may be frozen or overloaded; ssh.connectTimeout in cluster.yaml gives it more time',
  });
}

function failed(target: Target, step: string, details: ErrorDetails): KbinError {
  return new KbinError(`cannot connect to ${target.name} (${place(target)})`, {
    host: target.name,
    step,
    ...details,
  });
}

/** ssh2 tells the rest apart by text alone. */
function fromMessage(message: string): { why: string; next: string } | undefined {
  if (/before handshake|connection lost|closed|socket.*ended|ended by/i.test(message)) {
    return socketCauses.ECONNRESET;
  }
  if (/no matching/i.test(message)) {
    const what = /no matching (.*)$/i.exec(message)?.[1] ?? 'algorithm';
    return {
      why: `the server and kbin have no ${what} in common`,
      next: 'update sshd there; kbin does not speak SHA-1 and other broken algorithms',
    };
  }
  if (/expected ident|invalid (ident|header)|protocol version|bad packet length/i.test(message)) {
    return { why: `what answers there is no SSH server (${message})`, next: 'check the port' };
  }
  return undefined;
}

export interface RefusedLogin {
  readonly offered: readonly string[];
  readonly failures: readonly Error[];
  /** Ways that the server still takes, as it names them. */
  readonly methods: readonly string[];
  /** The error of ssh2, or what the server said when it hung up. */
  readonly said: string;
}

export function loginRefused(target: Target, refused: RefusedLogin): KbinError {
  const { offered, failures, methods, said } = refused;
  // A key that could not be opened explains more than the list of all others.
  const own = failures.find((failure) => failure instanceof KbinError);
  if (own instanceof KbinError)
    return new KbinError(own.message, { host: target.name, step: 'log in', ...own.details });
  const what = `${target.name} refused the login as ${target.user}`;
  const base = { host: target.name, step: 'log in' };
  const trouble = failures.map((failure) => `; ${failure.message}`).join('');
  if (offered.length === 0) {
    return new KbinError(what, {
      ...base,
      why: `kbin has no key to offer${trouble}`,
      next: 'name one with ssh.identityFile in cluster.yaml, or add it to an agent (ssh-add)',
    });
  }
  if (/too many auth/i.test(said)) {
    return new KbinError(what, {
      ...base,
      why: `it hung up after too many keys: ${offered.join(', ')}`,
      next: 'name the right key with ssh.identityFile in cluster.yaml: it is tried first',
    });
  }
  if (methods.length > 0 && !methods.includes('publickey')) {
    return new KbinError(what, {
      ...base,
      why: `it lets nobody in by a key alone: it wants ${methods.join(' or ')}`,
      next: 'let this user in by key there (AuthenticationMethods in sshd_config), or set another ssh.user',
    });
  }
  return new KbinError(what, {
    ...base,
    why: `it accepted none of these keys: ${offered.join(', ')}${trouble}`,
    next: `put the public key into ~${target.user}/.ssh/authorized_keys there, or set ssh.user or ssh.identityFile`,
  });
}
