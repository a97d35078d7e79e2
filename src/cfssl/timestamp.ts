import { exitCode, KbinError } from '../errors.ts';

const shape = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** A time as Go's JSON has it (RFC 3339). `where` names it in the error. */
export function parseTimestamp(text: string, where: string): Date {
  const day = shape.exec(text)?.[1];
  const date = new Date(text);
  if (day !== undefined && exists(day) && !Number.isNaN(date.getTime())) return date;
  throw new KbinError(`${where}: "${text}" is not a time`, {
    next: 'write it as in RFC 3339: "2026-01-31T12:00:00Z"',
    exit: exitCode.usage,
  });
}

/** JavaScript takes the 31st of February for the 3rd of March. */
function exists(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
