import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { Deadline } from './deadline.ts';
import { HostCheck } from './host-check.ts';
import { Identities } from './identities.ts';
import type { KeyRing } from './key-ring.ts';
import { cannotConnect, loginRefused } from './login-errors.ts';
import type { Target } from './target.ts';

export interface LoginContext {
  readonly ring: KeyRing;
  readonly warn: (text: string) => void;
  readonly deadline: Deadline;
  /** Told what is being waited for, for the message of a time-out. */
  readonly step: (text: string) => void;
}

/** SHA-1 is left out of ssh2's defaults; aes128-gcm is the fastest in Node, and every OpenSSH since 2014 has it. */
const algorithms = {
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies ssh2.Algorithms;

/** Speaks SSH over a connected socket up to a login. @throws KbinError for a host key or a login that is refused. */
export async function login(socket: Duplex, target: Target, context: LoginContext): Promise<ssh2.Client> {
  const check = new HostCheck(target);
  const identities = new Identities(target.identity, context.ring, (work) =>
    context.deadline.pausedDuring(work),
  );
  const auth = { methods: [] as readonly string[], partial: false };
  const client = new ssh2.Client();
  context.step('greet the SSH server');
  await new Promise<void>((resolve, reject) => {
    // Once: later key exchanges of the same connection are handshakes too.
    client.once('handshake', () => {
      try {
        check.remember(context.warn);
      } catch (error) {
        reject(error);
      }
      context.step('log in');
    });
    client.once('ready', resolve);
    client.on('error', (error: Error & { level?: string }) => {
      // An agent that fails with one key is asked for the next.
      if (error.level === 'agent') return;
      if (check.refusal) reject(check.refusal);
      else if (error.level === 'client-authentication') {
        reject(loginRefused(target, { offered: identities.offered, failures: identities.failures, ...auth }));
      } else reject(cannotConnect(target, error, 'greet the SSH server'));
    });
    client.once('close', () => {
      reject(check.refusal ?? cannotConnect(target, new Error('connection closed'), 'log in'));
    });
    connectClient(client, socket, target, { check, identities, auth });
  }).catch((error) => {
    client.destroy();
    throw error;
  });
  return client;
}

interface Means {
  readonly check: HostCheck;
  readonly identities: Identities;
  readonly auth: { methods: readonly string[]; partial: boolean };
}

function connectClient(
  client: ssh2.Client,
  sock: Duplex,
  target: Target,
  { check, identities, auth }: Means,
): void {
  let tried = false;
  client.connect({
    sock,
    username: target.user,
    hostVerifier: check.verify,
    algorithms: { ...algorithms, serverHostKey: check.algorithms as ssh2.ServerHostKeyAlgorithm[] },
    // The deadline of connection.ts covers this too.
    readyTimeout: 0,
    keepaliveInterval: target.keepAlive * 1000,
    keepaliveCountMax: 3,
    authHandler: (left, partial, next) => {
      auth.methods = left ?? [];
      auth.partial = partial === true;
      if (tried) return next(false as never);
      tried = true;
      next({ type: 'agent', username: target.user, agent: identities });
    },
  });
}
