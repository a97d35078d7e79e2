import type { CommandResult } from './host.ts';
import { type Login, noPassword, noSudo, type Privilege, sudoRefused, WrongSudoPassword } from './sudo.ts';
import type { SudoPasswords } from './sudo-passwords.ts';

/** Runs an argv with a privilege that is being tried. */
export type TryRun = (argv: readonly string[], privilege: Privilege) => Promise<CommandResult>;

const ATTEMPTS = 3;

/**
 * Asks the host itself. -k: a password that sudo still remembers would make it look as if none were needed.
 * Prints `root`, `absent`, `free`, or `refused` and sudo's words.
 */
const question = `
if [ "$(id -u)" = 0 ]; then echo root
elif ! command -v sudo >/dev/null 2>&1; then echo absent
elif said=$(LC_ALL=C sudo -k -n -- sh -c : 2>&1); then echo free
else printf 'refused\\n%s\\n' "$said"
fi`;

/** How the login user becomes root, decided on the host. @throws KbinError when there is no way. */
export async function findPrivilege(login: Login, passwords: SudoPasswords, run: TryRun): Promise<Privilege> {
  if (login.user === 'root') return { kind: 'plain' };
  const { stdout } = await run(['sh', '-c', question], { kind: 'plain' });
  const [answer = '', ...said] = stdout.trim().split('\n');
  if (answer === 'root') return { kind: 'plain' };
  if (answer === 'free') return { kind: 'sudo' };
  if (answer === 'absent') throw noSudo(login);
  const words = said.join('\n');
  if (!/password is required/i.test(words)) throw sudoRefused(words, login);
  return withPassword(login, passwords, run);
}

async function withPassword(login: Login, passwords: SudoPasswords, run: TryRun): Promise<Privilege> {
  for (let attempt = 1; ; attempt++) {
    const secret = await passwords.get(login);
    if (!secret) throw noPassword(login);
    const privilege: Privilege = { kind: 'password', secret };
    try {
      await run(['true'], privilege);
      passwords.accepted(login, secret);
      return privilege;
    } catch (error) {
      if (!(error instanceof WrongSudoPassword) || !secret.typed || attempt === ATTEMPTS) throw error;
      passwords.refused(login, secret);
    }
  }
}
