import type { CompletionNode, CompletionOption, Wanted } from './completion-tree.ts';

/** For fish: `kbin completion fish | source`, or a file in ~/.config/fish/completions/. */
export function fishScript(nodes: readonly CompletionNode[]): string {
  return `# fish completion for kbin: kbin completion fish | source
function __kbin_path
    set -l path kbin
    set -l over no
    for word in (commandline -opc)[2..-1]
        if test $over = yes
            set over no
            continue
        end
        switch "$path $word"
${nodes
  .slice(1)
  .map(({ path }) => `            case '${path}'\n                set path '${path}'`)
  .join('\n')}
            case ${withValues(nodes)}
                set over yes
        end
    end
    echo $path
end
function __kbin_at
    test (__kbin_path) = "$argv[1]"
end
function __kbin_names
    set -l words (commandline -opc)
    set -l config
    for index in (seq (count $words))
        if contains -- $words[$index] -c --config; and test $index -lt (count $words)
            set config --config $words[(math $index + 1)]
        end
    end
    $words[1] $config completion --list $argv[1] 2>/dev/null
end
complete -c kbin -f
${nodes.map(entries).join('\n')}
`;
}

function withValues(nodes: readonly CompletionNode[]): string {
  const flags = nodes.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== undefined)
      .flatMap((option) => option.flags.map((flag) => `'${path} ${flag}'`)),
  );
  return flags.join(' ');
}

function entries({ path, options, commands, operands }: CompletionNode): string {
  const at = `complete -c kbin -n ${quoted(`__kbin_at '${path}'`)}`;
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${name} -d ${quoted(summary)}`),
    ...options.map((option) => `${at} ${optionWords(option)}`),
    ...operands.flatMap((what) => (what === 'anything' ? [] : [`${at} ${words(what)}`])),
  ].join('\n');
}

function optionWords({ flags, summary, value }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const values = value === undefined ? [] : ['-r', ...value.map(words)];
  return [...names, ...values, `-d ${quoted(summary)}`].join(' ');
}

function words(what: Wanted): string {
  if (typeof what !== 'string') return `-a ${quoted(what.words.join(' '))}`;
  if (what === 'files') return '-F';
  if (what === 'folders') return `-a ${quoted('(__fish_complete_directories)')}`;
  return what === 'anything' ? '' : `-a ${quoted(`(__kbin_names ${what})`)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
