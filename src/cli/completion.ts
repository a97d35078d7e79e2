import { Argument, Option } from 'commander';
import type { CliContext, Register } from './context.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const register: Register = (program, context) => {
  program
    .command('completion')
    .description(
      'Print a script that completes commands, options, and host and certificate names in your shell.',
    )
    .addArgument(new Argument('[shell]', 'your shell').choices(shells))
    .addOption(new Option('--list <what>').choices(['hosts', 'certificates']).hideHelp())
    .addHelpText('after', examples)
    .action((shell: (typeof shells)[number] | undefined, { list }: { list?: 'hosts' | 'certificates' }) =>
      list === undefined ? printScript(shell ?? shellOf(context), context) : printNames(list, context),
    );
};

const examples = `
Without a shell it is the one that $SHELL names.

Examples:
  $ source <(kbin completion bash)          # put it into ~/.bashrc
  $ source <(kbin completion zsh)           # put it into ~/.zshrc, after compinit
  $ kbin completion fish | source           # put it into ~/.config/fish/config.fish`;

function shellOf({ io }: CliContext): (typeof shells)[number] {
  const name = io.env.SHELL?.split('/').at(-1);
  return shells.find((shell) => shell === name) ?? 'bash';
}

async function printScript(shell: (typeof shells)[number], { io }: CliContext): Promise<void> {
  const { buildProgram } = await import('./program.ts');
  const { completionTree } = await import('./completion-tree.ts');
  const writers = {
    bash: async () => (await import('./completion-bash.ts')).bashScript,
    zsh: async () => (await import('./completion-zsh.ts')).zshScript,
    fish: async () => (await import('./completion-fish.ts')).fishScript,
  };
  const { program } = await buildProgram(undefined, io);
  io.out((await writers[shell]())(completionTree(program)));
}

/** One name per line for the scripts; nothing at all where cluster.yaml cannot be read, for there is nobody to tell. */
async function printNames(list: 'hosts' | 'certificates', context: CliContext): Promise<void> {
  try {
    const names = await namesOf(list, context);
    context.io.out(names.map((name) => `${name}\n`).join(''));
  } catch {}
}

async function namesOf(list: 'hosts' | 'certificates', context: CliContext): Promise<readonly string[]> {
  const { loadCluster } = await import('../cluster/load.ts');
  const { findClusterFile } = await import('../cluster/find.ts');
  const cluster = await loadCluster(findClusterFile(context.config, context.io));
  if (list === 'hosts') return cluster.hosts.map(({ name }) => name);
  const { certificatePlan } = await import('../desired/certificates.ts');
  const { planIds } = await import('../ca/observed-store.ts');
  return planIds(certificatePlan(cluster));
}
