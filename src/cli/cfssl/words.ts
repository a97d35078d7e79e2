/**
 * `kbin cfssl gencert -ca ca.pem …` has commander see `kbin cfssl gencert -- -ca ca.pem …`: it would take -ca for its own
 * -c. A request for help, as Go's flag package knows it, stays where commander sees it.
 */
export function shieldWords(argv: readonly string[]): string[] {
  const group = argv.indexOf('cfssl');
  const command = argv[group + 1];
  if (command === undefined || command.startsWith('-')) return [...argv];
  const before = argv.slice(0, group + 2);
  const words = argv.slice(group + 2);
  return words.some((word) => /^--?h(elp)?$/.test(word))
    ? [...before, '--help']
    : [...before, '--', ...words];
}
