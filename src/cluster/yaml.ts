import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { Path } from './mistake.ts';

/**
 * cluster.yaml as plain data in which every scalar is its text. YAML's guesses are left out on purpose: `3.10` stays
 * `3.10` (not the number 3.1), `no` stays `no` (not false), `0644` stays `0644`; the schema knows what each value should
 * be. An empty value, `~` and `null` count as not given.
 */
export interface YamlSource {
  /** undefined when there is no document, or one that cannot be read. */
  readonly value: unknown;
  /** What YAML itself does not allow. */
  readonly mistakes: readonly PlacedText[];
  /** Where a path stands; the nearest thing above it where it does not exist. */
  readonly locate: (path: Path, at: 'key' | 'value') => Place;
  readonly has: (path: Path) => boolean;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface PlacedText extends Place {
  readonly text: string;
}

export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const reading = new Reading();
  for (const error of [...document.errors, ...document.warnings])
    reading.mistake(error.pos[0], errorText(error));
  // After a slip of syntax the rest means something else than its writer meant; a repeated key does no such harm.
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const value = readable ? reading.plain(document.contents, []) : undefined;
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return {
    value: value === absent ? undefined : value,
    mistakes: reading.mistakes.map(([offset, message]) => ({ ...place(offset), text: message })),
    locate: (path, at) => place(reading.offset(path, at)),
    has: (path) => reading.has(path),
  };
}

const absent = Symbol('not given');

/** More nodes than any cluster.yaml has: aliases of aliases multiply. */
const mostNodes = 100_000;

class Reading {
  /** Offset and text. */
  readonly mistakes: [number, string][] = [];
  readonly #keys = new Map<string, number>();
  readonly #values = new Map<string, number>();
  readonly #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  #nodes = 0;

  mistake(offset: number, text: string): void {
    this.mistakes.push([offset, text]);
  }

  has(path: Path): boolean {
    return this.#values.has(JSON.stringify(path));
  }

  offset(path: Path, at: 'key' | 'value'): number {
    const name = JSON.stringify(path);
    const found = (at === 'key' ? this.#keys.get(name) : undefined) ?? this.#values.get(name);
    if (found !== undefined) return found;
    return path.length === 0 ? 0 : this.offset(path.slice(0, -1), 'key');
  }

  plain(node: unknown, path: Path): unknown {
    if (++this.#nodes > mostNodes) return absent;
    const offset = start(node);
    const name = JSON.stringify(path);
    if (!this.#values.has(name)) this.#values.set(name, offset);
    if (isAlias(node)) return this.#aliased(node.source, offset, path);
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isScalar(node)) return scalarText(node);
    if (!isMap(node) && !isSeq(node)) return absent;
    this.#open.add(node);
    const value = isMap(node) ? this.#mapping(node, path) : this.#list(node.items, path);
    this.#open.delete(node);
    return value;
  }

  #aliased(anchor: string, offset: number, path: Path): unknown {
    const target = this.#anchors.get(anchor);
    if (target === undefined || this.#open.has(target)) {
      const why =
        target === undefined ? 'there is no such anchor before it' : 'it stands inside what it refers to';
      this.mistake(offset, `*${anchor}: ${why}`);
      return absent;
    }
    return this.plain(target, path);
  }

  #list(items: readonly unknown[], path: Path): unknown[] {
    const list: unknown[] = [];
    for (const item of items) {
      const value = this.plain(item, [...path, list.length]);
      if (value === absent && !isAlias(item)) this.mistake(start(item), 'an empty entry in a list');
      else if (value !== absent) list.push(value);
    }
    return list;
  }

  #mapping(node: YAMLMap, path: Path): Record<string, unknown> {
    const own: Record<string, unknown> = {};
    let merged: Record<string, unknown> = {};
    for (const { key, value } of node.items) {
      if (!isScalar(key)) {
        this.mistake(start(key), 'a key must be a single word');
        continue;
      }
      const word = String(key.value);
      if (word === '<<' && key.type === 'PLAIN') {
        merged = { ...merged, ...this.#merge(value, path) };
        continue;
      }
      const here = [...path, word];
      if (Object.hasOwn(own, word)) continue;
      this.#keys.set(JSON.stringify(here), start(key));
      this.#values.delete(JSON.stringify(here));
      const plain = this.plain(value, here);
      if (plain !== absent) Object.defineProperty(own, word, { value: plain, enumerable: true });
    }
    return { ...merged, ...own };
  }

  /** `<<: *base` and `<<: [*one, *two]`: of two the first wins. https://yaml.org/type/merge.html */
  #merge(node: unknown, path: Path): Record<string, unknown> {
    const value = this.plain(node, path);
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    if (sources.every((source) => typeof source === 'object' && source !== null && !Array.isArray(source))) {
      return Object.assign({}, ...sources);
    }
    this.mistake(start(node), '"<<" takes a mapping, or a list of mappings');
    return {};
  }
}

function start(node: unknown): number {
  return (node as { range?: readonly number[] } | null)?.range?.[0] ?? 0;
}

function scalarText(node: { value: unknown; type?: string }): unknown {
  const text = String(node.value ?? '');
  return node.type === 'PLAIN' && ['', '~', 'null'].includes(text) ? absent : text;
}

function errorText(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'this key stands here a second time; the first one would be lost';
    case 'TAB_AS_INDENT':
      return 'a tab as indentation; YAML takes spaces only';
    case 'MULTIPLE_DOCS':
      return 'a second document ("---"); one file describes one cluster';
    case 'TAG_RESOLVE_FAILED':
      return `${error.message}; kbin takes no tags`;
    case 'BLOCK_AS_IMPLICIT_KEY':
      return `${error.message}; quote a value that holds ": "`;
    case 'BAD_SCALAR_START':
      return `${error.message}; quote the value`;
    default:
      return error.message;
  }
}
