import type { CompletionNode, Wanted } from './completion-tree.ts';

/**
 * A completion function for bash 3.2 and later, without the bash-completion package. The tree is in the script: only
 * host and certificate names need a start of kbin.
 */
export function bashScript(nodes: readonly CompletionNode[]): string {
  return `# bash completion for kbin: source <(kbin completion bash)
_kbin() {
  # Split here once more, because readline also splits at "=" and ":".
  local words current previous path=kbin config= index=0
  read -a words <<<"\${COMP_LINE:0:COMP_POINT}."
  current=\${words[\${#words[@]}-1]%.}
  unset "words[\${#words[@]}-1]"
  previous=\${words[\${#words[@]}-1]}
  while (( ++index < \${#words[@]} )); do
    case "$path \${words[index]}" in
${walk(nodes)}
      "$path --config="*) config=\${words[index]#--config=} ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*} current=\${current#*=}
  fi
  COMPREPLY=()
  case "$path $previous" in
${values(nodes)}
  esac
  if [[ $current == -* ]]; then
    case $path in
${options(nodes)}
    esac
    return
  fi
  case $path in
${operands(nodes)}
  esac
}
# What readline takes for words of their own must not be given back to it.
_kbin_words() {
  local word head=\${current%"\${current##*[:=]}"}
  for word in $(compgen -W "$1" -- "$current"); do COMPREPLY+=("\${word#"$head"}"); done
}
_kbin_files() {
  compopt -o filenames 2>/dev/null
  local file
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen "$1" -- "$current")
}
_kbin_names() {
  _kbin_words "$("\${words[0]}" \${config:+--config "$config"} completion --list "$1" 2>/dev/null)"
}
# As npm does: a name such as etcd-server@HOST is one word.
COMP_WORDBREAKS=\${COMP_WORDBREAKS/@}
complete -F _kbin kbin
`;
}

/** From word to word: into a command, or over an option's value. */
function walk(nodes: readonly CompletionNode[]): string {
  const down = nodes.slice(1).map(({ path }) => `      "${path}") path="${path}" ;;`);
  const over = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return [];
      const config = flags.includes('--config') ? `; config=\${words[index]}` : '';
      return [`      ${flags.map((flag) => `"${path} ${flag}"`).join(' | ')}) (( index++ ))${config} ;;`];
    }),
  );
  return [...down, ...over].join('\n');
}

function values(nodes: readonly CompletionNode[]): string {
  const lines = nodes.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === undefined) return [];
      const patterns = flags.map((flag) => `"${path} ${flag}"`).join(' | ');
      return [`    ${patterns}) ${actions(value)}; return ;;`];
    }),
  );
  return lines.join('\n');
}

function options(nodes: readonly CompletionNode[]): string {
  return nodes
    .map(
      ({ path, options }) =>
        `      "${path}") _kbin_words "${options.flatMap(({ flags }) => flags).join(' ')}" ;;`,
    )
    .join('\n');
}

function operands(nodes: readonly CompletionNode[]): string {
  const lines = nodes.map(({ path, commands, operands }) => {
    const words: Wanted[] = commands.length > 0 ? [{ words: commands.map(({ name }) => name) }] : [];
    return `    "${path}") ${actions([...words, ...operands])} ;;`;
  });
  return lines.join('\n');
}

function actions(wanted: readonly Wanted[]): string {
  const texts = wanted.map((what) => {
    if (typeof what !== 'string') return `_kbin_words "${what.words.join(' ')}"`;
    if (what === 'files') return '_kbin_files -f';
    if (what === 'folders') return '_kbin_files -d';
    return what === 'anything' ? ':' : `_kbin_names ${what}`;
  });
  return texts.join('; ') || ':';
}
