const atom = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\u{10ffff}]+";
const dotAtom = `${atom}(?:\\.${atom})*`;
const quoted = '"(?:[^"\\\\\\r\\n]|\\\\[\\x20-\\x7e])*"';
const literal = '\\[[\\x21-\\x5a\\x5e-\\x7e]*\\]';
const word = `(?:${dotAtom}\\.?|${quoted})`;
const comment = '(?:\\s*\\([^()]*\\))*\\s*';

const bare = new RegExp(`^\\s*(${dotAtom}|${quoted})@(${dotAtom}|${literal})${comment}$`, 'u');
const named = new RegExp(
  `^\\s*(?:${word}(?:[ \\t]+${word})*)?\\s*<(${dotAtom}|${quoted})@(${dotAtom}|${literal})>${comment}$`,
  'u',
);

/** The address, where Go's mail.ParseAddress (RFC 5322, section 3.4) reads one: `Bob <bob@x.y>` is bob@x.y. */
export function mailAddress(text: string): string | undefined {
  // Nothing of this length is an address, and the expressions shall not be asked.
  if (text.length > 512 || !text.includes('@')) return undefined;
  const [, local, domain] = bare.exec(text) ?? named.exec(text) ?? [];
  if (local === undefined || domain === undefined) return undefined;
  const plain = local.startsWith('"') ? local.slice(1, -1).replaceAll(/\\(.)/g, '$1') : local;
  return plain === '' && !local.startsWith('"') ? undefined : `${plain}@${domain}`;
}
