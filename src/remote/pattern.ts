/**
 * OpenSSH's patterns (ssh_config(5), PATTERNS): `*` is any text, `?` exactly one character, everything else itself.
 * ssh-config's own matcher takes `?` for "one or none", so a host `node1` would get the settings of `Host node1?`.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/\*+/g, '*')
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** A list matches when one of its patterns does and none of those written with a leading `!`. */
export function matchesPatternList(text: string, patterns: readonly string[]): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(text, pattern.slice(1))) return false;
    } else if (matchesPattern(text, pattern)) {
      matched = true;
    }
  }
  return matched;
}
