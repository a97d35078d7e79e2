import * as z from 'zod/mini';
import { Mistake, type Path, type Problem, type Read } from './mistake.ts';
import { didYouMean } from './suggest.ts';

/** How the schema says what a key holds: the pieces it is made of, and how a draft is read with them. */

export function value<T>(read: Read<T>) {
  return z.optional(
    z.pipe(
      z.string(),
      z.transform((text: string, context): T => {
        const found = read(text);
        if (!(found instanceof Mistake)) return found;
        context.issues.push({ code: 'custom', message: found.message, input: text });
        return z.NEVER;
      }),
    ),
  );
}

/** The message holds one line per unknown key, in the order of the issue's keys. */
export function mapping<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape);
  const error = (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `unknown key ${JSON.stringify(key)}${didYouMean(key, known)}`).join('\n')
      : undefined;
  return z.strictObject(shape, { error });
}

/** A mapping that may also be written as a single word, which `spread` turns into one. */
export function wordOr<S extends z.core.$ZodLooseShape>(
  spread: (word: string) => Record<string, string>,
  shape: S,
) {
  const whole = z.transform((given: unknown) => (typeof given === 'string' ? spread(given) : given));
  return z.optional(z.pipe(whole, mapping(shape)));
}

export function list<T>(read: Read<T>) {
  return z.optional(z.array(value(read)));
}

/** One value, or a list of them: a list either way. */
export function valueOrList<T>(read: Read<T>) {
  const whole = z.transform((given: unknown) => (Array.isArray(given) ? given : [given]));
  return z.optional(z.pipe(whole, z.array(value(read))));
}

/** Keys that the user chooses. */
export function record<S extends z.core.$ZodType>(entry: S) {
  return z.optional(z.record(z.string(), entry));
}

/**
 * Reads plain data into a draft. What is wrong is reported and left out of the draft, so that one mistake does not hide
 * the others.
 */
export function readDraft<S extends z.core.$ZodType>(
  schema: S,
  data: unknown,
): { draft: z.output<S>; problems: Problem[] } {
  const first = z.safeParse(schema, data, { error: wrongKind });
  if (first.success) return { draft: first.data, problems: [] };
  const problems = first.error.issues.flatMap((issue) => wrongs(issue, data));
  const pruned = problems.reduce((rest, { path }) => without(rest, path), data);
  return { draft: z.parse(schema, pruned ?? {}), problems };
}

function wrongs(issue: z.core.$ZodIssue, data: unknown): Problem[] {
  const path = issue.path as Path;
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: written(path, data), at: 'value', message: issue.message, severity: 'error' }];
  }
  const messages = issue.message.split('\n');
  return issue.keys.map((key, index) => ({
    path: [...path, key],
    at: 'key',
    message: messages[index] ?? `unknown key "${key}"`,
    severity: 'error',
  }));
}

/** As far as the data goes: what stands for a mapping as a single word has no keys. */
function written(path: Path, data: unknown): Path {
  const [first, ...rest] = path;
  if (first === undefined || typeof data !== 'object' || data === null) return [];
  return [first, ...written(rest, (data as Record<string | number, unknown>)[first])];
}

/** A copy without what stands at the path. Entries of a list become undefined: the others keep their places. */
function without(data: unknown, path: Path): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return undefined;
  if (Array.isArray(data)) {
    return data.map((entry, index) => (index === first ? without(entry, rest) : entry));
  }
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      if (key !== first) return [[key, value]];
      return rest.length === 0 ? [] : [[key, without(value, rest)]];
    }),
  );
}

function wrongKind(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined;
  return `expected ${kinds[issue.expected] ?? issue.expected}, found ${kindOf(issue.input)}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a single value',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  return typeof input === 'object' ? 'a mapping' : `"${String(input)}"`;
}
