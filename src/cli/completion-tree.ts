import type { Argument, Command, Option } from 'commander';

/** What may stand at a place: words that are known, files, folders, or what cluster.yaml has (`hosts`, `certificates`). */
export type Wanted =
  | { readonly words: readonly string[] }
  | 'files'
  | 'folders'
  | 'hosts'
  | 'certificates'
  | 'anything';

export interface CompletionOption {
  /** `-o` and `--output`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** What its value is; undefined for an option without one. */
  readonly value?: readonly Wanted[];
}

export interface CompletionNode {
  /** From the program on: `kbin etcd deploy`. */
  readonly path: string;
  readonly options: readonly CompletionOption[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  /** What arguments that are no options may be. */
  readonly operands: readonly Wanted[];
}

/** Every command of the tree, the program first, with the options that are valid everywhere at each. */
export function completionTree(program: Command): readonly CompletionNode[] {
  return [...nodes(program, program.name(), [])];
}

function* nodes(
  command: Command,
  path: string,
  inherited: readonly CompletionOption[],
): Generator<CompletionNode> {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const own = help.visibleOptions(command).map((option) => completionOption(option, path));
  const fresh = inherited.filter(
    ({ flags }) => !own.some((option) => option.flags.some((flag) => flags.includes(flag))),
  );
  yield {
    path,
    options: [...own, ...fresh],
    commands: commands.map((child) => ({
      name: child.name(),
      summary: firstSentence(help.subcommandDescription(child)),
    })),
    operands: command.registeredArguments.flatMap((argument) => argumentWanted(argument, path)),
  };
  const passedOn =
    path === command.name() ? own.filter(({ flags }) => !flags.includes('--version')) : inherited;
  for (const child of commands) yield* nodes(child, `${path} ${child.name()}`, passedOn);
}

function completionOption(option: Option, path: string): CompletionOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const placeholder = /[<[](.*)[>\]]/.exec(option.flags)?.[1];
  const value = option.argChoices
    ? [{ words: option.argChoices }]
    : placeholder && optionWanted(option, placeholder, path);
  return { flags, summary: firstSentence(option.description), ...(value ? { value } : {}) };
}

/** `--skip-host <name>` wants a host, wherever it is. */
function optionWanted({ long }: Option, placeholder: string, path: string): readonly Wanted[] {
  return /^--(.*-)?host$/.test(long ?? '') && /^name\W*$/.test(placeholder)
    ? ['hosts']
    : wanted(placeholder, path);
}

function argumentWanted(argument: Argument, path: string): readonly Wanted[] {
  return argument.argChoices ? [{ words: argument.argChoices }] : wanted(argument.name(), path);
}

/** By the placeholder: `<file|name>`, `<host…>` and `<dir>` say what is meant, `<fhs|opt>` says which words. */
function wanted(placeholder: string, path: string): readonly Wanted[] {
  const found = placeholder.split(/[^A-Za-z]+/).flatMap((word): Wanted[] => {
    if (/^(file|path|from)$/i.test(word)) return ['files'];
    if (/^(dir|folder|directory)$/i.test(word)) return ['folders'];
    if (/^host$/i.test(word)) return ['hosts'];
    if (/^(names?|certificates?)$/i.test(word) && path.startsWith('kbin pki')) return ['certificates'];
    return [];
  });
  if (found.length > 0) return found;
  return placeholder.includes('|') ? [{ words: placeholder.split('|') }] : ['anything'];
}

function firstSentence(text: string): string {
  return (/^[\s\S]*?[.](?=\s|$)/.exec(text)?.[0] ?? text).replaceAll(/\s+/g, ' ').replace(/[.]$/, '');
}
