import { Command, CommanderError } from 'commander';
import { type ExitCode, exitCode } from '../errors.ts';
import { type CliContext, commandGroup, type Register } from './context.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

/** One line per command group: what `kbin --help` shows, and the files that are imported once it is asked for. */
interface Group {
  readonly name: string;
  readonly summary: string;
  readonly load: readonly (() => Promise<{ register: Register }>)[];
}

export const groups: readonly Group[] = [
  { name: 'init', summary: 'write a commented cluster.yaml', load: [() => import('./init.ts')] },
  { name: 'pki', summary: 'make and show certificates', load: [() => import('./pki.ts')] },
  {
    name: 'completion',
    summary: 'print a completion script for your shell',
    load: [() => import('./completion.ts')],
  },
];

/** Runs one command line and returns its exit code. Rejects with whatever the command failed with. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { program, finished } = await buildProgram(argv, io);
  try {
    await program.parseAsync(helpLast(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.good : exitCode.usage;
  }
  return finished();
}

/** The whole command tree when `argv` is undefined (completion), else only the group that argv asks for. */
export async function buildProgram(
  argv: readonly string[] | undefined,
  io: Io,
): Promise<{ program: Command; finished: () => ExitCode }> {
  const program = rootCommand(io);
  let code: ExitCode = exitCode.good;
  const context = createContext(program, io, (wanted) => {
    code = wanted;
  });
  const wanted = argv === undefined ? undefined : firstOperand(helpLast(argv));
  for (const group of groups) {
    if (argv === undefined || group.name === wanted) {
      for (const load of group.load) (await load()).register(program, context);
    }
    commandGroup(program, group.name).summary(group.summary);
  }
  return { program, finished: () => code };
}

function rootCommand(io: Io): Command {
  return new Command('kbin')
    .description('Installs a highly available Kubernetes from plain binaries and proves that it works.')
    .version(version, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'cluster.yaml to use (default: $KBIN_CONFIG, then ./cluster.yaml)')
    .option('--json', 'print the result as JSON')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: io.out, writeErr: io.err, getOutHasColors: () => io.colour })
    .showSuggestionAfterError(true)
    .exitOverride();
}

function createContext(program: Command, io: Io, exit: (code: ExitCode) => void): CliContext {
  let cluster: ReturnType<CliContext['cluster']> | undefined;
  let interrupt: AbortSignal | undefined;
  const context: CliContext = {
    io,
    get json() {
      return program.opts().json === true;
    },
    get config() {
      return program.opts().config as string | undefined;
    },
    async cluster() {
      const { readCluster } = await import('./read-cluster.ts');
      cluster ??= readCluster(context);
      return cluster;
    },
    exit,
    interrupt() {
      interrupt ??= onInterrupt();
      return interrupt;
    },
  };
  return context;
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const first = (signal: NodeJS.Signals): void => {
    // The next one finds no listener and ends the process.
    process.off('SIGINT', first).off('SIGTERM', first);
    controller.abort(signal);
  };
  process.on('SIGINT', first).on('SIGTERM', first);
  return controller.signal;
}

/** `kbin help etcd deploy` reads as `kbin etcd deploy --help`. */
function helpLast(argv: readonly string[]): string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];
}

function firstOperand(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index];
    if (word === '-c' || word === '--config') index++;
    else if (word !== undefined && !word.startsWith('-')) return word;
  }
  return undefined;
}
