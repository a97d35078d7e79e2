import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileFailure } from '../../ca/file-failure.ts';
import type { Input } from '../../cfssl/authority.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import type { Io } from '../io.ts';
import { printWarning } from '../output.ts';
import { lostKey, type Made, readInput, writeBare } from './files.ts';
import { type FlagName, readWords } from './flags.ts';

/** One run of a command, with what its words say. */
export interface Run {
  readonly command: string;
  readonly io: Io;
  readonly now: Date;
  readonly operands: readonly string[];
  /** '' where it was not given. */
  flag(name: FlagName): string;
  /** Warnings; errors with --strict. */
  readonly remarks: string[];
  /** A file that the command cannot do without. */
  required(name: FlagName, what: string): string;
  input(name: string): Input;
  /** A CA's certificate or key, which may be in a variable. */
  authorityInput(name: FlagName): Input;
  passphrase(): string | undefined;
  folder(name: string): Input[];
}

/** What there is to say: files for a pipe into cfssljson, or a text. */
export type Outcome = { readonly made: Made } | { readonly text: string };

export async function runCommand(
  context: CliContext,
  command: {
    readonly name: string;
    readonly flags: readonly FlagName[];
    readonly operands: readonly string[];
  },
  words: readonly string[],
  work: (run: Run) => Promise<Outcome> | Outcome,
): Promise<void> {
  const { io } = context;
  const { flags, operands, remarks } = readWords(command.name, command.flags, words);
  const run = runOf(command.name, io, flags, operands, [...remarks]);
  checkOperands(command, operands);
  const outcome = await work(run);
  const bare = run.flag('bare');
  if ('made' in outcome && bare !== '') {
    const lost = lostKey(io, bare, outcome.made);
    if (lost !== undefined) run.remarks.push(lost);
  }
  tell(io, run.remarks, run.flag('strict') !== '');
  if ('text' in outcome) io.out(outcome.text);
  else if (bare === '') io.out(`${JSON.stringify(sorted(outcome.made))}\n`);
  else io.err(`wrote ${writeBare(io, bare, outcome.made).join(', ')}\n`);
}

function runOf(
  command: string,
  io: Io,
  flags: ReadonlyMap<FlagName, string>,
  operands: readonly string[],
  remarks: string[],
): Run {
  const step = `cfssl ${command}`;
  const flag = (name: FlagName): string => flags.get(name) ?? '';
  return {
    command,
    io,
    now: new Date(),
    operands,
    flag,
    remarks,
    required(name, what) {
      if (flag(name) !== '') return flag(name);
      throw new KbinError(`cfssl ${command} needs ${what}`, {
        next: `give it with -${name}`,
        exit: exitCode.usage,
      });
    },
    input: (name) => ({ text: readInput(io, name, step), name: name === '-' ? 'stdin' : name }),
    authorityInput: (name) => ({ text: readInput(io, flag(name), step, true), name: flag(name) }),
    passphrase: () => io.env.CFSSL_CA_PK_PASSWORD || io.env.KBIN_CA_PASSPHRASE || undefined,
    folder: (name) => files(io, name, step),
  };
}

function files(io: Io, folder: string, step: string): Input[] {
  const path = resolve(io.cwd, folder);
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ text: readInput(io, join(path, name), step), name: join(folder, name) }));
  } catch (error) {
    if (error instanceof KbinError) throw error;
    throw fileFailure(`cannot read ${folder}`, step, error);
  }
}

function checkOperands(
  { name, operands: known }: { readonly name: string; readonly operands: readonly string[] },
  operands: readonly string[],
): void {
  const extra = operands[known.length];
  if (extra === undefined) return;
  const next = extra.startsWith('-')
    ? 'flags go before the file: Go reads none after it'
    : `see "kbin cfssl ${name} --help"`;
  throw new KbinError(`cfssl ${name} takes no "${extra}"`, { next, exit: exitCode.usage });
}

function tell(io: Io, remarks: readonly string[], strict: boolean): void {
  const different = [...new Set(remarks)];
  if (!strict || different.length === 0) {
    for (const remark of different) printWarning(io, remark);
    return;
  }
  throw new KbinError(`${different.join('\n')}`, {
    why: 'cfssl says nothing about that; --strict makes it an error, and nothing was made',
    next: 'mend it, or leave --strict out',
    exit: exitCode.usage,
  });
}

/** As Go prints a map. */
function sorted({ cert, csr, key }: Made): Made {
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(csr === undefined ? {} : { csr }),
    ...(key === undefined ? {} : { key }),
  };
}
