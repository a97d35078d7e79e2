import { Command, CommanderError, type Option } from 'commander';
import { type ExitCode, exitCode } from '../errors.ts';
import { shieldWords } from './cfssl/words.ts';
import { commandGroup, type Register } from './context.ts';
import { createContext } from './create-context.ts';
import { addExamples } from './examples.ts';
import type { Io } from './io.ts';
import { usageError } from './usage.ts';
import { version } from './version.ts';

/** One line per command group: what `kbin --help` shows, and the files that are imported once it is asked for. */
interface Group {
  readonly name: string;
  readonly summary: string;
  readonly load: readonly (() => Promise<{ register: Register }>)[];
}

export const groups: readonly Group[] = [
  { name: 'init', summary: 'write a commented cluster.yaml', load: [() => import('./init.ts')] },
  {
    name: 'pki',
    summary: 'make and show certificates',
    load: [() => import('./pki.ts'), () => import('./pki/outside.ts')],
  },
  { name: 'plan', summary: 'show what would change, and why', load: [() => import('./plan.ts')] },
  { name: 'render', summary: 'write every file of every host', load: [() => import('./render.ts')] },
  {
    name: 'etcd',
    summary: 'deploy etcd, and see how it is',
    load: [() => import('./etcd.ts'), () => import('./etcd-status.ts')],
  },
  {
    name: 'control-plane',
    summary: 'deploy the control plane, and see how it is',
    load: [() => import('./control-plane.ts'), () => import('./control-plane-status.ts')],
  },
  {
    name: 'verify',
    summary: 'is this cluster what it should be?',
    load: [() => import('./verify.ts')],
  },
  {
    name: 'kubeconfig',
    summary: 'write a kubeconfig for a person',
    load: [() => import('./kubeconfig.ts')],
  },
  {
    name: 'cfssl',
    summary: "cfssl's own commands, flags and files",
    load: [() => import('./cfssl.ts')],
  },
  {
    name: 'completion',
    summary: 'print a completion script for your shell',
    load: [() => import('./completion.ts')],
  },
];

/** Runs one command line and returns its exit code. Rejects with whatever the command failed with. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const plain = helpLast(argv);
  const words = firstOperand(plain) === 'cfssl' ? shieldWords(plain) : plain;
  const { program, finished } = await buildProgram(words, io);
  const wanted = firstOperand(words);
  // Commander would show the program's help for `kbin nonsense --help`.
  const known = wanted === undefined || groups.some(({ name }) => name === wanted);
  try {
    await program.parseAsync(known ? words : [wanted], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const usage = usageError(error, program, argv);
    if (usage !== undefined) throw usage;
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
  const wanted = argv === undefined ? undefined : firstOperand(argv);
  for (const group of groups) {
    if (argv === undefined || group.name === wanted) {
      for (const load of group.load) (await load()).register(program, context);
    }
    commandGroup(program, group.name).summary(group.summary);
  }
  addExamples(program);
  return { program, finished: () => code };
}

const notes = `
One file describes the cluster: start with "kbin init". What kbin makes lies beside it; the certificates in pki/ are
the thing to back up. Every command can be run again: it does what is left to do.

Examples:
  $ kbin init --host m1=10.0.0.1 --host m2=10.0.0.2 --host m3=10.0.0.3
  $ kbin pki init
  $ kbin etcd deploy
  $ kbin verify

Exit codes:
  0  good
  1  failed
  2  wrong usage, or a mistake in cluster.yaml
  3  found unhealthy, or different from cluster.yaml

Environment:
  KBIN_CONFIG             cluster.yaml to use, unless --config says
  KBIN_SUDO_PASSWORD      password for sudo on the hosts
  KBIN_SSH_PASSPHRASE     passphrase of the SSH key
  KBIN_CA_PASSPHRASE      passphrase of the CA keys
  KBIN_NEW_CA_PASSPHRASE  the one that "kbin pki passphrase" gives them
  KBIN_PKCS12_PASSWORD    password of PKCS #12 files that are exported or shown
  KBIN_NODE               Node.js to run on
  NO_COLOR                no colours`;

/** `-c` and `--json`; the version is asked of the program alone. */
function visibleGlobalOptions(command: Command): Option[] {
  let program = command;
  while (program.parent !== null) program = program.parent;
  return program === command ? [] : program.options.filter(({ long }) => long !== '--version');
}

function rootCommand(io: Io): Command {
  return new Command('kbin')
    .description('Installs a highly available Kubernetes from plain binaries and proves that it works.')
    .version(version, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'cluster.yaml to use (default: $KBIN_CONFIG, then ./cluster.yaml)')
    .option('--json', 'print the result as JSON')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions })
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      // Thrown as well, and printed by main like every other error.
      outputError: () => {},
      getOutHasColors: () => io.colour,
      getErrHasColors: () => io.colour,
    })
    .addHelpText('after', notes)
    .showSuggestionAfterError(true)
    .exitOverride();
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
