/**
 * The text of the URI, where Go's url.ParseRequestURI reads one: anything with a scheme (`localhost:80` has one), an
 * absolute path, or a lone `*`. The scheme is in small letters, a path that needs it is percent-encoded.
 */
export function requestUri(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
  if (text === '' || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  if (text === '*') return text;
  const [, scheme = '', afterScheme = text] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text) ?? [];
  const [, rest = '', query = ''] = /^([^?]*)(\?.*)?$/s.exec(afterScheme) ?? [];
  const start = scheme === '' ? '' : `${scheme.toLowerCase()}:`;
  if (!rest.startsWith('/')) return scheme === '' ? undefined : `${start}${rest}${query}`;
  if (scheme === '' || !rest.startsWith('//')) return withPath(start, rest, query);
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
  if (!authorityShape.test(authority)) return undefined;
  return authority === '' && path === ''
    ? `${start}${query}`
    : withPath(`${start}//${authority}`, path, query);
}

const authorityShape =
  /^(?:[A-Za-z0-9\-._:~!$&'()*+,;=%@]*@)?(?:\[[0-9A-Fa-f:.]*(?:%25[A-Za-z0-9\-._~]+)?\]|[A-Za-z0-9\-._~!$&'()*+,;="<>]*)(?::\d*)?$/;

/** As url.URL.EscapedPath has it: as it was written if that is a valid encoding, else encoded anew. */
function withPath(start: string, path: string, query: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/%]*$/.test(path)) return `${start}${path}${query}`;
  const bytes = Buffer.from(path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, decoded), 'latin1');
  return `${start}${[...bytes].map(encoded).join('')}${query}`;

  function decoded(escapes: string): string {
    return Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('latin1');
  }
}

function encoded(byte: number): string {
  const letter = String.fromCharCode(byte);
  return /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(letter)
    ? letter
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
