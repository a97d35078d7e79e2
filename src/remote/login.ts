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
  const auth: Auth = { methods: [] };
  const client = new ssh2.Client();
  let step = '';
  const enter = (next: string) => {
    step = next;
    context.step(next);
  };
  enter('greet the SSH server');
  await new Promise<void>((resolve, reject) => {
    // Once: later key exchanges of the same connection are handshakes too.
    client.once('handshake', () => {
      try {
        check.remember(context.warn);
      } catch (error) {
        reject(error);
      }
      enter('log in');
    });
    client.once('ready', resolve);
    client.on('error', (error: Error & { level?: string }) => {
      // An agent that fails with one key is asked for the next.
      if (error.level === 'agent') return;
      if (check.refusal) reject(check.refusal);
      else if (error.level === 'client-authentication' || /too many auth/i.test(error.message)) {
        const { offered, failures } = identities;
        reject(loginRefused(target, { offered, failures, methods: auth.methods, said: error.message }));
      } else reject(cannotConnect(target, error, step));
    });
    client.once('close', () => {
      reject(check.refusal ?? cannotConnect(target, new Error('connection closed'), step));
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
  readonly auth: Auth;
}

interface Auth {
  /** Ways to log in that the server names when it has refused one. */
  methods: readonly string[];
}

function connectClient(
  client: ssh2.Client,
  sock: Duplex,
  target: Target,
  { check, identities, auth }: Means,
): void {
  // `none` is refused with a list of what would not be; after the keys, since it counts against MaxAuthTries.
  const attempts: ssh2.AnyAuthMethod[] = [
    { type: 'agent', username: target.user, agent: identities },
    { type: 'none', username: target.user },
  ];
  client.connect({
    sock,
    username: target.user,
    hostVerifier: check.verify,
    algorithms: { ...algorithms, serverHostKey: check.algorithms as ssh2.ServerHostKeyAlgorithm[] },
    // The deadline of connection.ts covers this too.
    readyTimeout: 0,
    keepaliveInterval: target.keepAlive * 1000,
    keepaliveCountMax: 3,
    authHandler: (left, _partial, next) => {
      auth.methods = left ?? [];
      next(attempts.shift() ?? (false as never));
    },
  });
}
