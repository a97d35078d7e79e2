import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';

export interface PasswordOptions {
  readonly passwordFile?: string;
  /** Asked for in so many words. */
  readonly emptyPassword?: boolean;
}

const variable = 'KBIN_PKCS12_PASSWORD';
const howToGive = `give it with --password-file or $${variable}, or run the command on a terminal`;

/** For a file that is to be written: what is typed is asked for twice, and an empty one has to be meant. */
export async function exportPassword(context: CliContext, options: PasswordOptions): Promise<string> {
  if (options.emptyPassword) return '';
  const given = givenPassword(context, options) ?? (await typed(context, true));
  if (given !== '') return given;
  throw new KbinError('the password is empty', {
    why: 'whoever gets the file would have the key',
    next: `${howToGive}; --empty-password if it is meant`,
    exit: exitCode.usage,
  });
}

/** For a file that is to be read. */
export async function importPassword(context: CliContext, options: PasswordOptions): Promise<string> {
  return givenPassword(context, options) ?? (await typed(context, false));
}

function givenPassword({ io }: CliContext, { passwordFile }: PasswordOptions): string | undefined {
  return passwordFile === undefined ? io.env[variable] : firstLine(resolve(io.cwd, passwordFile));
}

/** Without its end. */
function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (cause) {
    throw new KbinError(`cannot read ${file}`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'give the file that holds the password in its first line',
      exit: exitCode.usage,
      cause,
    });
  }
}

async function typed({ io }: CliContext, twice: boolean): Promise<string> {
  if (!io.interactive) {
    throw new KbinError('there is no password for the PKCS #12 file, and nobody to ask for it', {
      next: howToGive,
      exit: exitCode.usage,
    });
  }
  const password = await io.ask('Password of the PKCS #12 file', { secret: true });
  if (!twice || (await io.ask('The same again', { secret: true })) === password) return password;
  throw new KbinError('these are two different passwords', {
    why: 'nothing was written',
    next: 'run the command again',
  });
}
