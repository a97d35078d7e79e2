import type { Command } from 'commander';
import type { Cluster } from '../cluster/cluster.ts';
import type { ExitCode } from '../errors.ts';
import type { Io } from './io.ts';

/**
 * What every command gets. A command group is a file `src/cli/<group>.ts` (a large one's parts: `src/cli/<group>/`) that
 * exports `register: Register`; program.ts imports it only when its command was asked for, so a group may import what it
 * likes at its top, except the libraries that only some of its actions need (`import()` those inside the action).
 *
 *     export const register: Register = (program, context) => {
 *       program.command('plan').description('…').option('--exit-code', '…').action(async (options) => {
 *         const cluster = await context.cluster();
 *         …
 *         context.exit(exitCode.unhealthy);
 *       });
 *     };
 *
 * Where several files share a group (etcd), each says `commandGroup(program, 'etcd').command('deploy')`.
 */
export interface CliContext {
  readonly io: Io;
  /** `--json`: the result goes to stdout as one JSON document. Ask inside an action, not while registering. */
  readonly json: boolean;
  /** `--config FILE` as given; undefined when it was not. Ask inside an action. */
  readonly config: string | undefined;
  /** Finds, reads and validates cluster.yaml once; its warnings go to stderr. KbinError with exit 2 otherwise. */
  cluster(): Promise<Cluster>;
  /** The exit code of a command that ends without an error. Default 0; a thrown KbinError carries its own. */
  exit(code: ExitCode): void;
  /**
   * Aborted at the first Ctrl-C or SIGTERM, for commands that want to stop cleanly and say where they stand; a second
   * one ends the process at once. A command that never asks for it dies of the first, as is usual.
   */
  interrupt(): AbortSignal;
}

export type Register = (program: Command, context: CliContext) => void;

/** The group's command; made by whichever file comes first. */
export function commandGroup(program: Command, name: string): Command {
  const made = program.commands.find((command) => command.name() === name);
  // `kbin help etcd deploy` is there already.
  return made ?? program.command(name).helpCommand(false);
}
