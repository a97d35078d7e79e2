import type { Command, CommanderError } from 'commander';
import { exitCode, KbinError } from '../errors.ts';

/**
 * What commander says of a wrong command line, as an error like any other. undefined when it has only shown help: asked
 * for, or because a group was named without one of its commands.
 */
export function usageError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
): KbinError | undefined {
  if (['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(error.code))
    return undefined;
  const [text = '', meant] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /^\(Did you mean (.*)\?\)$/.exec(meant ?? '')?.[1];
  const see = `see "${[...commandPath(program, argv), '--help'].join(' ')}"`;
  return new KbinError(text.replace(/\.$/, ''), {
    next: suggestion === undefined ? see : `did you mean ${suggestion}? Otherwise ${see}`,
    exit: exitCode.usage,
  });
}

/** As far into the tree as the command line leads. */
function commandPath(program: Command, argv: readonly string[]): string[] {
  let command = program;
  const path = [program.name()];
  for (const word of argv) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (child === undefined) continue;
    command = child;
    path.push(word);
  }
  return path;
}
