import { exitCode, KbinError } from '../errors.ts';

const milliseconds = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5
  μs: 1e-3, // U+03BC
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
} as const;

/** What 63 bits of nanoseconds hold, about 292 years. */
const longest = 2 ** 63 / 1e6;

const whole = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** A duration as Go's time.ParseDuration takes it (`87600h`, `1h30m`), in milliseconds. `where` names it in the error. */
export function parseDuration(text: string, where: string): number {
  if (!whole.test(text)) throw notADuration(text, where);
  let sum = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) {
    sum += Number(count) * milliseconds[unit as keyof typeof milliseconds];
  }
  if (sum >= longest) {
    throw new KbinError(`${where}: "${text}" is longer than the 292 years that a Go duration holds`, {
      next: 'choose a shorter one: 87600h are ten years',
      exit: exitCode.usage,
    });
  }
  return text.startsWith('-') ? -sum : sum;
}

function notADuration(text: string, where: string): KbinError {
  const [, count, unit] = /^(\d+) ?(d|days?|w|weeks?|y|years?)$/i.exec(text) ?? [];
  const hours = { d: 24, w: 168, y: 8760 }[unit?.[0]?.toLowerCase() ?? ''];
  const meant = count === undefined || hours === undefined ? '8760h' : `${Number(count) * hours}h`;
  return new KbinError(`${where}: "${text}" is not a duration`, {
    why: 'durations are written as in Go: hours (h), minutes (m), seconds (s); there are no days or years',
    next: `write "${meant}"`,
    exit: exitCode.usage,
  });
}
