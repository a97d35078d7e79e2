import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The users that every lab host has (test/lab/Dockerfile). */
export const USERS = {
  root: '/root',
  ops: '/home/ops',
  opspw: '/home/opspw',
  nosudo: '/home/nosudo',
} as const;
export type User = keyof typeof USERS;
/** opspw's password for sudo. */
export const SUDO_PASSWORD = 'ops-secret';

/** An ed25519 key pair at `path` (made unless it is there); returns the public half, as authorized_keys has it. */
export async function sshKey(path: string): Promise<string> {
  if (!existsSync(path)) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'kbin-lab', '-f', path]).catch(
      (cause) => {
        throw new Error('ssh-keygen could not make a key; `make setup` installs openssh-client', { cause });
      },
    );
  }
  return readFile(`${path}.pub`, 'utf8');
}
