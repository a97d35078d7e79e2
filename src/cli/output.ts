/**
 * How kbin speaks. The only file that turns results and errors into text.
 *
 * 1. stdout is the result and nothing else: a table for people, or with --json one JSON document, two spaces deep, with
 *    the same facts as the table and more. Field names are the nouns' own (camelCase); dates are ISO 8601 in UTC,
 *    durations and sizes carry their unit in the name or are bytes. An empty result is `[]` or an empty table's header.
 * 2. stderr is everything else: progress, warnings, questions, errors. Errors are text there, with --json too.
 * 3. A table is plain columns, two spaces apart, upper-case headers, no frame: it reads the same on a terminal, in a
 *    log and through awk. Cells never hold newlines. Columns are not cut to the terminal's width.
 * 4. Colour only says again what a word says already, and only on terminals.
 * 5. An error says what failed, where, why, and what to do next, then what the other side said, indented.
 *    No error, table or plan shows a private key, a passphrase or a token.
 */
import { type ExitCode, exitCode, KbinError } from '../errors.ts';
import type { Io } from './io.ts';

export type Cell = string | number | boolean | undefined;

/** `undefined` cells print as `-`. */
export function printTable(io: Io, header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  io.out(formatTable(header, rows));
}

/** Padded here: a table library costs a cold process 12 ms for what is two lines without frames and colours. */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [header.map((title) => title.toUpperCase()), ...rows.map((row) => row.map(cellText))];
  const widths = header.map((_title, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  const padded = (text: string, column: number): string =>
    text + ' '.repeat((widths[column] ?? 0) - width(text));
  return lines.map((line) => `${line.map(padded).join('  ').trimEnd()}\n`).join('');
}

/** In columns of a terminal: East Asian letters and emoji take two, combining marks none. */
function width(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return [...text].reduce((sum, letter) => sum + (/\p{M}/u.test(letter) ? 0 : wide.test(letter) ? 2 : 1), 0);
}

const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;

function cellText(cell: Cell): string {
  if (cell === undefined || cell === '') return '-';
  return String(cell).replaceAll(/\s*\n\s*/g, ' ');
}

/** Maps print as objects, bigints as decimal strings. */
export function printJson(io: Io, value: unknown): void {
  const plain = (_key: string, entry: unknown): unknown => {
    if (entry instanceof Map) return Object.fromEntries(entry);
    return typeof entry === 'bigint' ? entry.toString() : entry;
  };
  io.out(`${JSON.stringify(value, plain, 2)}\n`);
}

export function printWarning(io: Io, text: string): void {
  io.err(`${paint(io, 'yellow', 'warning:')} ${indentRest(text, '  ')}\n`);
}

/** Prints any error and returns the exit code that belongs to it. What is no KbinError is a defect of kbin. */
export function printError(io: Io, error: unknown): ExitCode {
  if (!(error instanceof KbinError)) {
    io.err(defectText(io, error));
    return exitCode.failed;
  }
  const { host, step, why, next, output, exit } = error.details;
  const where = [host, step].filter((part) => part !== undefined).join(', ');
  const lines = [`${paint(io, 'red', 'error:')} ${indentRest(error.message, '  ')}`];
  for (const [label, text] of [
    ['where', where],
    ['why', why],
    ['next', next],
  ] as const) {
    if (text) lines.push(`  ${`${label}:`.padEnd(7)}${indentRest(text, '         ')}`);
  }
  if (output?.trim())
    lines.push(
      ...output
        .trimEnd()
        .split('\n')
        .map((line) => `  | ${line}`.trimEnd()),
    );
  io.err(`${lines.join('\n')}\n`);
  return exit ?? exitCode.failed;
}

function defectText(io: Io, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
  const head = `${paint(io, 'red', 'error:')} this is a defect of kbin, not of your input`;
  const next = '  next:  report it with the lines below; running the command again is safe';
  return `${[head, next, ...stack.split('\n').map((line) => `  | ${line}`)].join('\n')}\n`;
}

function indentRest(text: string, indent: string): string {
  return text.replaceAll('\n', `\n${indent}`);
}

const colours = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;

export function paint(io: Io, colour: keyof typeof colours, text: string): string {
  return io.colour ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
}
