/** Lines of a journal that an error shows. */
const shown = 12;
/** Characters of a line that an error shows. */
const width = 400;

/** What people read of a journal: its end. Of a panic its message stays, Go's stack traces go; so does a program's usage. */
export function lastLines(journal: string): string {
  return withoutUsage(withoutTraces(journal.trimEnd().split('\n')))
    .slice(-shown)
    .map((line) => line.replace(/,"stacktrace":".*"\}$/, '}'))
    .map((line) => (line.length > width ? `${line.slice(0, width)}…` : line))
    .join('\n');
}

const goroutine = /^goroutine \d+ (?:gp=.* )?\[.*\]:$/;
/** A function with its arguments, the file below it, who started the goroutine, a gap. */
const frames = [
  /^\S[^ (]*\(.*\)$/,
  /^\s+\S+\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?$/,
  /^created by \S+/,
  /^\s*$/,
  /^\s*\.{3}/,
];

/** A trace begins with a goroutine's head and ends before the first line that cannot be of one. */
function withoutTraces(lines: readonly string[]): string[] {
  // A journal that was cut off may begin within one.
  let inTrace = true;
  return lines.filter((line) => {
    inTrace = goroutine.test(line) || (inTrace && frames.some((frame) => frame.test(line)));
    return !inTrace;
  });
}

/** What cobra prints after an error in the flags: everything that is set in, and the headings between. */
function withoutUsage(lines: readonly string[]): string[] {
  let inUsage = false;
  return lines.filter((line) => {
    inUsage = line === 'Usage:' || (inUsage && (/^(\s.*)?$/.test(line) || line.endsWith(' flags:')));
    return !inUsage;
  });
}
