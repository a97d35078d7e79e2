import { KbinError } from '../errors.ts';
import type { StoreFiles } from './store-files.ts';

/** A record of the store: a text file with an object as JSON on each line, oldest first. */
export type RecordLine = Readonly<Record<string, unknown>>;

/**
 * Empty when there is no such file. Throws KbinError for what cannot be read: a record that is half understood would
 * say that something was never issued, or never revoked.
 */
export function readRecord<T>(
  files: StoreFiles,
  path: string,
  read: (line: RecordLine) => T | undefined,
): readonly T[] {
  const reading = files.read(path);
  if (reading.state === 'absent') return [];
  if (reading.state === 'closed') throw closed(files.place(path), reading.reason);
  const lines = reading.content.toString('utf8').split('\n');
  return lines.flatMap((text, index) => {
    if (text.trim() === '') return [];
    const entry = read(parsed(text));
    if (entry !== undefined) return [entry];
    throw unreadable(files.place(path), `line ${index + 1} is not as kbin writes it`);
  });
}

function parsed(text: string): RecordLine {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as RecordLine) : {};
  } catch {
    return {};
  }
}

const closed = (file: string, why: string): KbinError =>
  new KbinError(`cannot read ${file}`, {
    step: 'certificate store',
    why,
    next: 'run kbin as the user that owns the folder',
  });

function unreadable(file: string, why: string): KbinError {
  return new KbinError(`${file} cannot be read`, {
    step: 'certificate store',
    why,
    next: 'restore it from a backup, or mend that line: each is one JSON object',
  });
}

export function recordText(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** As openssl prints it: capitals, whole octets. undefined: not a serial number. */
export function serialOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[0-9A-F]{2,64}$/.test(value) || value.length % 2 !== 0)
    return undefined;
  return value;
}

export function dateOf(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
