/**
 * JSON as Go's encoding/json reads it into a struct: keys without regard to case, null for "not said", unknown keys
 * passed over. What Go passes over in silence becomes a remark here.
 */
import { nearest } from '../cluster/suggest.ts';
import { exitCode, KbinError } from '../errors.ts';

export type Shape =
  | { readonly kind: 'string' | 'boolean' | 'integer' | 'anything' }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | ObjectShape;

export interface ObjectShape {
  readonly kind: 'object';
  readonly keys: Readonly<Record<string, Shape>>;
  /** Keys that people write here though they are read elsewhere, and where that is. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

/** What cfssl would not have said; the command prints them as warnings, or as errors with --strict. */
export type Remarks = string[];

export const string: Shape = { kind: 'string' };
export const boolean: Shape = { kind: 'boolean' };
export const integer: Shape = { kind: 'integer' };
export const anything: Shape = { kind: 'anything' };
export const list = (of: Shape): Shape => ({ kind: 'list', of });
export const map = (of: Shape): Shape => ({ kind: 'map', of });
export const object = (keys: ObjectShape['keys'], elsewhere: ObjectShape['elsewhere'] = {}): ObjectShape => ({
  kind: 'object',
  keys,
  elsewhere,
});

/**
 * The object that `text` holds, with its keys spelt as in `shape`. `source` names the text in errors.
 * Throws KbinError (exit 2) with every place where the type is wrong.
 */
export function readJson<T>(text: string, shape: ObjectShape, source: string, remarks: Remarks): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KbinError(`${source} is not JSON`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'look at the file: a comma too many, or one that is missing, is the usual mistake',
      exit: exitCode.usage,
      cause,
    });
  }
  const mistakes = repeatedKeys(text).map((key) => `the key "${key}" is there twice in one object`);
  const read = mistakes.length > 0 ? undefined : convert(value, shape, '', { source, mistakes, remarks });
  if (mistakes.length === 0 && isObject(read)) return read as T;
  const what = mistakes.length > 0 ? mistakes : ['it holds no object'];
  throw new KbinError(`${source} cannot be used: ${what.join('; ')}`, {
    next: '"kbin cfssl print-defaults config" and "… csr" show what such a file looks like',
    exit: exitCode.usage,
  });
}

interface Reading {
  readonly source: string;
  readonly mistakes: string[];
  readonly remarks: Remarks;
}

function convert(value: unknown, shape: Shape, path: string, reading: Reading): unknown {
  if (value === null || shape.kind === 'anything') return value ?? undefined;
  const wrong = (wanted: string): undefined => {
    reading.mistakes.push(`${path || 'the whole'} is ${kindOf(value)}, not ${wanted}`);
    return undefined;
  };
  switch (shape.kind) {
    case 'string':
      return typeof value === 'string' ? value : wrong('a string');
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong('true or false');
    case 'integer':
      return Number.isSafeInteger(value) ? value : wrong('a whole number');
    case 'list':
      if (!Array.isArray(value)) return wrong('a list');
      return value.map((entry, index) =>
        convert(entry ?? zero(shape.of), shape.of, `${path}[${index}]`, reading),
      );
    case 'map':
      if (!isObject(value)) return wrong('an object');
      return record(
        Object.entries(value).map(([key, entry]) => [
          key,
          convert(entry ?? zero(shape.of), shape.of, join(path, key), reading),
        ]),
      );
    case 'object':
      return isObject(value) ? convertObject(value, shape, path, reading) : wrong('an object');
  }
}

/** What Go makes of a null in a list or a map. */
function zero({ kind }: Shape): unknown {
  return { string: '', boolean: false, integer: 0, anything: null, list: [], map: {}, object: {} }[kind];
}

function convertObject(
  value: object,
  { keys, elsewhere }: ObjectShape,
  path: string,
  reading: Reading,
): object {
  const known = Object.keys(keys);
  const found: [string, unknown][] = [];
  for (const [written, entry] of Object.entries(value)) {
    const key = Object.hasOwn(keys, written) ? written : known.find((one) => fold(one) === fold(written));
    const shape = key === undefined ? undefined : keys[key];
    if (key === undefined || shape === undefined) {
      reading.remarks.push(unknownKey(written, known, elsewhere ?? {}, path, reading.source));
      continue;
    }
    if (found.some(([before]) => before === key)) {
      reading.mistakes.push(`${join(path, key)} is there twice, spelt differently`);
    }
    found.push([key, convert(entry, shape, join(path, key), reading)]);
  }
  return record(found);
}

function unknownKey(
  written: string,
  known: readonly string[],
  elsewhere: Readonly<Record<string, string>>,
  path: string,
  source: string,
): string {
  const place = Object.entries(elsewhere).find(([key]) => fold(key) === fold(written))?.[1];
  const meant = nearest(written, known);
  const hint = place ?? (meant === undefined ? '' : `; did you mean "${meant}"?`);
  return `${source}: nothing reads the key ${join(path, written)}${hint}`;
}

/** As Go folds letters: the Kelvin sign is a k, the long s an s. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

/** Without a prototype that a key named __proto__ could reach. */
function record(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Of two equal keys JSON.parse keeps the last, and Go merges them: neither is what anybody meant. `text` is JSON. */
function repeatedKeys(text: string): string[] {
  const repeated: string[] = [];
  const open: (Set<string> | undefined)[] = [];
  for (const [token, key, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (key !== undefined && colon !== undefined) {
      const name = JSON.parse(key) as string;
      const keys = open.at(-1);
      if (keys?.has(name)) repeated.push(name);
      keys?.add(name);
    }
  }
  return repeated;
}
