export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const token = /<\?xml [^?]*\?>|<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const entity = /&(?:(amp|lt|gt|quot|apos)|#(\d+));/g;
const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads XML and throws at the first thing that is not well-formed: elements, attributes and text, no more than JUnit needs. */
export function parseXml(text: string): Element {
  const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text);
  if (forbidden !== null) throw new Error(`a character that XML cannot hold, at ${forbidden.index}`);
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (found === null) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 40)}`);
    const [, closing, name, attributes = '', single, characters] = found;
    const top = open.at(-1) ?? root;
    if (characters !== undefined) top.text += decode(characters);
    else if (closing === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes nothing at ${at}`);
    } else if (name !== undefined) {
      const element: Open = { name, attributes: readAttributes(attributes), children: [], text: '' };
      top.children.push(element);
      if (single !== '/') open.push(element);
    }
  }
  const [only] = root.children;
  if (open.length !== 1 || root.children.length !== 1 || only === undefined)
    throw new Error('not one whole element');
  return only;
}

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: Open[];
  text: string;
}

function readAttributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([\w:.-]+)="([^"]*)"/g)) {
    if (name in found) throw new Error(`attribute ${name} twice`);
    found[name] = decode(value);
  }
  return found;
}

function decode(text: string): string {
  const rest = text.replaceAll(entity, '');
  if (rest.includes('&')) throw new Error(`a bare & in ${text}`);
  return text.replaceAll(entity, (_whole, name: keyof typeof named | undefined, code: string | undefined) =>
    name === undefined ? String.fromCodePoint(Number(code)) : named[name],
  );
}
