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
      ? issue.keys.map((key) => `unknown key "${key}"${didYouMean(key, known)}`).join('\n')
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
  const problems: Problem[] = [];
  const pruned = first.error.issues.some(({ path }) => path.length === 0) ? {} : structuredClone(data);
  for (const issue of first.error.issues) {
    for (const [path, at, message] of wrongs(issue)) {
      problems.push({ path, at, message, severity: 'error' });
      remove(pruned, path);
    }
  }
  return { draft: z.parse(schema, pruned), problems };
}

function wrongs(issue: z.core.$ZodIssue): (readonly [Path, 'key' | 'value', string])[] {
  const path = issue.path as Path;
  if (issue.code !== 'unrecognized_keys') return [[path, 'value', issue.message]];
  const messages = issue.message.split('\n');
  return issue.keys.map((key, index) => [[...path, key], 'key', messages[index] ?? `unknown key "${key}"`]);
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

/** Entries of a list become undefined, so that the places of the others stay what they are. */
function remove(data: unknown, path: Path): void {
  const last = path.at(-1);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<string | number, unknown>)?.[step], data);
  if (last === undefined || typeof parent !== 'object' || parent === null) return;
  if (Array.isArray(parent)) parent[Number(last)] = undefined;
  else delete (parent as Record<string, unknown>)[last];
}
