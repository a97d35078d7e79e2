import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkPassphrase } from '../ca/key-encryption.ts';
import { missingPassphrase, type Passphrase, type PassphraseSource } from '../ca/passphrase.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { CliContext } from './context.ts';
import type { Io } from './io.ts';
import { printWarning } from './output.ts';

/** Where the passphrase of the CA keys comes from, for every command that may have to open one. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
}

const variable = 'KBIN_CA_PASSPHRASE';
const question = 'Passphrase of the CA keys';

export function addPassphraseOption(command: Command): Command {
  return command.option(
    '--passphrase-file <file>',
    `file with the passphrase of encrypted CA keys (default: $${variable}, else asked for)`,
  );
}

/** Nobody is asked, and no file is read, before a key has to be opened; and only once in a run. */
export function passphraseOf(context: CliContext, options: PassphraseOptions): PassphraseSource {
  const { io } = context;
  const known = sources.get(context);
  if (known !== undefined) return known;
  const source = once(async () => {
    const given = givenPassphrase(io, options.passphraseFile, variable);
    if (given !== undefined) return given;
    if (!io.interactive) throw missingPassphrase();
    return { value: await io.ask(question, { secret: true }), from: 'the terminal' };
  });
  sources.set(context, source);
  return source;
}

const sources = new WeakMap<CliContext, PassphraseSource>();

/** One that keys are to be encrypted with: what is typed is asked for twice. `variable` without its $. */
export function newPassphraseOf(
  { io }: CliContext,
  file: string | undefined,
  { variable, option }: { readonly variable: string; readonly option: string },
): PassphraseSource {
  return once(async () => {
    const passphrase = givenPassphrase(io, file, variable) ?? (await typedTwice(io, variable, option));
    checkPassphrase(passphrase.value);
    if (passphrase.value.length < fewCharacters) {
      printWarning(
        io,
        'that is a short passphrase: who gets a copy of pki/ has all the time there is to try others',
      );
    }
    return passphrase;
  });
}

async function typedTwice(io: Io, variable: string, option: string): Promise<Passphrase> {
  if (!io.interactive) {
    throw new KbinError('there is no new passphrase, and nobody to ask for it', {
      next: `give it with ${option} or $${variable}, or run the command on a terminal`,
      exit: exitCode.usage,
    });
  }
  const value = await io.ask(`New ${question.toLowerCase()}`, { secret: true });
  checkPassphrase(value);
  if ((await io.ask('The same again', { secret: true })) === value) return { value, from: 'the terminal' };
  throw new KbinError('these are two different passphrases', {
    why: 'nothing was changed',
    next: 'run the command again',
  });
}

function givenPassphrase(io: Io, file: string | undefined, variable: string): Passphrase | undefined {
  if (file !== undefined) return { value: readFile(resolve(io.cwd, file)), from: file };
  const value = io.env[variable];
  return value === undefined || value === '' ? undefined : { value, from: `$${variable}` };
}

/** Fewer can be tried out by somebody who has the file, in spite of scrypt. */
const fewCharacters = 12;

/** The first line, without its end. */
function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '';
  } catch (cause) {
    throw new KbinError(`cannot read ${file}`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'give the file that holds the passphrase in its first line',
      exit: exitCode.usage,
      cause,
    });
  }
}

function once(get: PassphraseSource): PassphraseSource {
  let got: Promise<Passphrase> | undefined;
  return () => (got ??= get());
}
