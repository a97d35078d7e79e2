import type { CompletionNode, CompletionOption, Wanted } from './completion-tree.ts';

/** For zsh: `source <(kbin completion zsh)` after compinit, or a file `_kbin` in $fpath. */
export function zshScript(nodes: readonly CompletionNode[]): string {
  return `#compdef kbin
# zsh completion for kbin: source <(kbin completion zsh), after compinit; or as a file _kbin in a folder of $fpath.
_kbin() {
  local kbin_path=kbin config= previous=\${words[CURRENT-1]} current=\${words[CURRENT]} index
  for (( index = 2; index < CURRENT; index++ )); do
    case "$kbin_path \${words[index]}" in
${walk(nodes)}
      ("$kbin_path --config="*) config=\${words[index]#--config=} ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*}
    compset -P '*='
  fi
  local -a items
  case "$kbin_path $previous" in
${nodes.flatMap(({ path, options }) => options.flatMap((option) => value(path, option))).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $kbin_path in
${nodes.map(({ path, options }) => `      ("${path}") items=(${options.flatMap(optionItems).join(' ')}) ;;`).join('\n')}
    esac
    _describe -o option items
    return
  fi
  case $kbin_path in
${nodes.map(operands).join('\n')}
  esac
}
_kbin_names() {
  local -a names
  names=(\${(f)"$("\${words[1]}" \${config:+--config} \${config:+"$config"} completion --list "$1" 2>/dev/null)"})
  compadd -a names
}
# Read as a file of $fpath this is the function's body; sourced, it is to be registered.
if [[ $funcstack[1] == _kbin ]]; then _kbin "$@"; else compdef _kbin kbin; fi
`;
}

/** From word to word: into a command, or over an option's value. */
function walk(nodes: readonly CompletionNode[]): string {
  const down = nodes.slice(1).map(({ path }) => `      ("${path}") kbin_path="${path}" ;;`);
  const over = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return [];
      const config = flags.includes('--config') ? `; config=\${words[index]}` : '';
      return [`      (${flags.map((flag) => `"${path} ${flag}"`).join('|')}) (( index++ ))${config} ;;`];
    }),
  );
  return [...down, ...over].join('\n');
}

function value(path: string, { flags, value }: CompletionOption): string[] {
  if (value === undefined) return [];
  return [`    (${flags.map((flag) => `"${path} ${flag}"`).join('|')}) ${actions(value)}; return ;;`];
}

function optionItems({ flags, summary }: CompletionOption): string[] {
  return flags.map((flag) => item(flag, summary));
}

function operands({ path, commands, operands }: CompletionNode): string {
  const items = commands.map(({ name, summary }) => item(name, summary)).join(' ');
  const described = commands.length > 0 ? [`items=(${items}); _describe command items`] : [];
  return `    ("${path}") ${[...described, actions(operands)].join('; ')} ;;`;
}

function actions(wanted: readonly Wanted[]): string {
  const texts = wanted.map((what) => {
    if (typeof what !== 'string') return `compadd -- ${what.words.join(' ')}`;
    if (what === 'files') return '_files';
    if (what === 'folders') return '_files -/';
    return what === 'anything' ? ':' : `_kbin_names ${what}`;
  });
  return texts.join('; ') || ':';
}

function item(word: string, summary: string): string {
  const text = `${word.replaceAll(':', '\\:')}:${summary}`;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
