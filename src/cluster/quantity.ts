import { Mistake, type Read } from './mistake.ts';

/** Whole numbers as people write them. Refused: leading zeros (octal?), signs, exponents, thousands separators. */
export function readInteger(least: number, most: number): Read<number> {
  return (text) => {
    if (/^0\d+$/.test(text)) {
      return new Mistake(
        `"${text}" has leading zeros, which some programs read as octal; write ${Number(text)}`,
      );
    }
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    return new Mistake(`"${text}" is not a whole number of ${least} to ${most}`);
  };
}

export const readPort: Read<number> = (text) => {
  const port = readInteger(1, 65535)(text);
  return port instanceof Mistake ? new Mistake(port.message.replace('a whole number', 'a port')) : port;
};

/** Bytes, from `8GiB`, `512MiB`, `64KiB` or a plain number of bytes. */
export function readSize(least: number, most: number): Read<number> {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,15})\s*([A-Za-z]*)$/.exec(text) ?? [];
    const factor = sizeUnits[unit];
    if (digits === undefined || (factor === undefined && !/^[kmgt]b?$/i.test(unit))) {
      return new Mistake(
        `"${text}" is not a size; write for example ${sizeText(least)} or ${sizeText(most)}`,
      );
    }
    if (factor === undefined) {
      return new Mistake(`"${text}" may mean 1000 or 1024; write ${digits}${unit.charAt(0).toUpperCase()}iB`);
    }
    const bytes = Number(digits) * factor;
    if (bytes >= least && bytes <= most) return bytes;
    return new Mistake(`"${text}" is out of range; ${sizeText(least)} to ${sizeText(most)}`);
  };
}

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** The largest unit that divides it: `8GiB`, `1536MiB`, `1000B`. */
export function sizeText(bytes: number): string {
  for (const [unit, factor] of Object.entries(sizeUnits).toReversed()) {
    if (unit !== '' && bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

interface Units {
  readonly factors: Readonly<Record<string, number>>;
  readonly example: string;
}

/** Hours, from `20y` (of 365 days), `365d`, `2w`, `87600h`, or several of them: `1y30d`. */
export function readValidity(leastHours: number, mostHours: number): Read<number> {
  return readSpan(
    { factors: { y: 8760, w: 168, d: 24, h: 1 }, example: '10y, 365d or 87600h' },
    leastHours,
    mostHours,
  );
}

/** Seconds, from `10s`, `2m`, `1h30m` or a plain number of seconds. */
export function readSeconds(least: number, most: number): Read<number> {
  const seconds = readSpan({ factors: { h: 3600, m: 60, s: 1, '': 1 }, example: '30s or 5m' }, least, most);
  return seconds;
}

/** Milliseconds, from `100ms`, `1s` or a plain number of milliseconds. */
export function readMilliseconds(least: number, most: number): Read<number> {
  return readSpan({ factors: { s: 1000, ms: 1, '': 1 }, example: '100ms or 1s' }, least, most);
}

function readSpan({ factors, example }: Units, least: number, most: number): Read<number> {
  return (text) => {
    let sum = 0;
    const parts = [...text.matchAll(/(\d{1,12})([a-z]*)/g)];
    const whole = parts.map(([part]) => part).join('') === text && text !== '';
    for (const [, digits, unit = ''] of parts) sum += Number(digits) * (factors[unit] ?? Number.NaN);
    // A bare number beside units (`1h30`) says too little.
    const bare = parts.length > 1 && parts.some(([, , unit]) => unit === '');
    if (!whole || Number.isNaN(sum) || bare)
      return new Mistake(`"${text}" is not a duration; write for example ${example}`);
    if (sum >= least && sum <= most) return sum;
    const range = `${spanText(least, factors)} to ${spanText(most, factors)}`;
    return new Mistake(`"${text}" is out of range; ${range}`);
  };
}

function spanText(amount: number, factors: Units['factors']): string {
  const units = Object.entries(factors).toSorted(([, one], [, other]) => other - one);
  const [unit, factor] = units.find(([, size]) => amount >= size && amount % size === 0) ?? ['', 1];
  return `${amount / factor}${unit}`;
}
