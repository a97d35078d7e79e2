import { randomBytes } from 'node:crypto';
import { KbinError } from '../errors.ts';
import type { Dialogue } from './output.ts';
import { quoteArgv } from './quote.ts';
import type { Secret } from './secrets.ts';

/** How a command becomes root on a host. */
export type Privilege =
  /** The login user is root, or the command needs none. */
  | { readonly kind: 'plain' }
  /** sudo lets the user through without a password. */
  | { readonly kind: 'sudo' }
  | { readonly kind: 'password'; readonly secret: Secret };

/** The command line for the login shell, and what is to be said before the command runs. */
export interface CommandLine {
  readonly text: string;
  readonly dialogue?: Dialogue;
}

export interface Login {
  readonly host: string;
  readonly user: string;
}

export class WrongSudoPassword extends KbinError {}

export function commandLine(argv: readonly string[], privilege: Privilege, login: Login): CommandLine {
  if (privilege.kind === 'plain') return { text: `exec ${quoteArgv(argv)}` };
  // LC_ALL: what sudo says is read below.
  const sudo = ['env', 'LC_ALL=C', 'sudo'];
  if (privilege.kind === 'sudo') return { text: `exec ${quoteArgv([...sudo, '-n', '--', ...argv])}` };
  const token = randomBytes(8).toString('hex');
  const [prompt, mark] = [`kbin-password-${token}:`, `kbin-started-${token}`];
  // -k: sudo asks even where it remembers a password, so that the password can never become the command's input.
  const started = ['sh', '-c', 'echo "$0" >&2; exec "$@"', mark];
  return {
    text: `exec ${quoteArgv([...sudo, '-k', '-S', '-p', prompt, '--', ...started, ...argv])}`,
    dialogue: passwordDialogue(privilege.secret, prompt, mark, login),
  };
}

/** Answers sudo's prompt once, and lets the command's own input follow only after sudo has started the command. */
function passwordDialogue(secret: Secret, prompt: string, mark: string, login: Login): Dialogue {
  let answered = false;
  return {
    hear(stderr, answer) {
      const at = stderr.indexOf(`${mark}\n`);
      if (at >= 0) return { rest: stderr.slice(at + mark.length + 1) };
      const prompts = stderr.split(prompt).length - 1;
      if (prompts === 1 && !answered) {
        answered = true;
        answer.write(`${secret.value}\n`);
      }
      // Asked again: the password was wrong, and there is no other.
      if (prompts > 1) answer.end();
      return undefined;
    },
    failed(stderr) {
      const said = stderr.replaceAll(prompt, '').trim();
      if (
        answered &&
        /incorrect password|no password was provided|password is required|try again/i.test(said)
      ) {
        return new WrongSudoPassword(`sudo on ${login.host} refuses the password of ${login.user}`, {
          host: login.host,
          step: 'become root',
          why: `the password came from ${secret.from}`,
          next: 'correct it there; kbin also takes it from ssh.sudoPasswordFile, $KBIN_SUDO_PASSWORD or the terminal',
        });
      }
      return sudoRefused(said, login);
    },
  };
}

/** What sudo's own words mean. */
export function sudoRefused(said: string, { host, user }: Login): KbinError {
  const what = `${user} cannot become root on ${host}`;
  const details = { host, step: 'become root', output: said };
  if (/not in the sudoers file|may not run sudo|not allowed to (run|execute)/i.test(said)) {
    return new KbinError(what, {
      ...details,
      why: 'sudo is not allowed for this user',
      next: `allow it on the host ("${user} ALL=(ALL) ALL" in a file of /etc/sudoers.d), or set another ssh.user`,
    });
  }
  if (/must have a tty/i.test(said)) {
    return new KbinError(what, {
      ...details,
      why: "the host's sudoers file asks for a terminal (requiretty)",
      next: `put "Defaults:${user} !requiretty" into a file of /etc/sudoers.d on the host`,
    });
  }
  return new KbinError(what, { ...details, next: `try \`sudo true\` as ${user} on the host` });
}

export function noSudo({ host, user }: Login): KbinError {
  return new KbinError(`${user} cannot become root on ${host}`, {
    host,
    step: 'become root',
    why: 'sudo is not installed there',
    next: 'install sudo, or log in as root (ssh.user: root)',
  });
}

export function noPassword({ host, user }: Login): KbinError {
  return new KbinError(`${user} cannot become root on ${host}`, {
    host,
    step: 'become root',
    why: 'sudo wants a password, and there is nobody to ask for it',
    next:
      'give it in $KBIN_SUDO_PASSWORD or ssh.sudoPasswordFile, or allow NOPASSWD on the host; ' +
      'a user who may not use sudo at all is asked for a password too',
  });
}

/** sudo -n that has turned into a refusal since the host was asked: the rule is gone. */
export function refusedLater(stderr: string, code: number | null): boolean {
  return code === 1 && /^sudo: (a password is required|.*must have a tty)/m.test(stderr);
}
