import { KbinError } from '../errors.ts';

/** Words that a POSIX shell would read as syntax when they stand first and bare. */
const reserved = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

/** Linux takes no single argument of 128 KiB or more, and a remote command arrives as one argument of the login shell. */
const MAX_COMMAND_BYTES = 131_071;

/**
 * One command for a POSIX shell from an argv array: every argument arrives as it is, whatever it holds. The only place
 * where kbin quotes. @throws KbinError for what no command line can carry: a NUL byte, or more than 128 KiB.
 */
export function quoteArgv(argv: readonly string[]): string {
  const command = argv.map(quoteArgument).join(' ');
  if (Buffer.byteLength(command) > MAX_COMMAND_BYTES) {
    throw new KbinError(`the command "${command.slice(0, 60)}…" is longer than a command line may be`, {
      why: `it has ${Buffer.byteLength(command)} bytes; Linux takes ${MAX_COMMAND_BYTES}`,
      next: 'what is this long belongs on standard input: this is a defect of kbin, please report it',
    });
  }
  return command;
}

function quoteArgument(argument: string): string {
  if (argument.includes('\0')) {
    throw new KbinError(`a NUL byte cannot be part of a command: ${JSON.stringify(argument.slice(0, 60))}`);
  }
  if (/^[\w@+:,./-]+$/.test(argument) && !reserved.has(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
