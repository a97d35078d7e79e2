/** Of `--flag=value` words: every value that a flag is given, in their order; where a flag takes one, the last counts. */
export function flagValues(argv: readonly string[], flag: string): string[] {
  const start = `--${flag}=`;
  return argv.filter((word) => word.startsWith(start)).map((word) => word.slice(start.length));
}
