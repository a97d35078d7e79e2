/** Every value that a flag is given, in their order; where a flag takes one, the last counts. */
export function flagValues(argv: readonly string[], flag: string): string[] {
  return flagsOf(argv).flatMap(([name, value]) => (name === flag ? [value] : []));
}

/** `--flag=value`, `--flag value` and `--flag`, which stands for true; `_` is `-`, as Kubernetes has it. */
export function flagsOf(argv: readonly string[]): [flag: string, value: string][] {
  return argv.flatMap((word, index): [string, string][] => {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return [];
    const next = argv[index + 1];
    const apart = next === undefined || next.startsWith('-') ? 'true' : next;
    return [[name.replaceAll('_', '-'), value ?? apart]];
  });
}
