import { KbinError } from '../errors.ts';

/** The lines of a probe by their first word, in the order they came in. */
export class ProbeLines {
  readonly host: string;
  readonly #lines = new Map<string, string[]>();

  constructor(host: string, output: string) {
    this.host = host;
    const lines = output.split('\n');
    if (lines[0] !== 'kbin-probe 1') throw this.malformed('it does not begin as a probe does');
    if (lines.at(-2) !== 'end' || lines.at(-1) !== '') throw this.malformed('its end is missing');
    for (const line of lines.slice(1, -2)) {
      const space = line.indexOf(' ');
      const keyword = space < 0 ? line : line.slice(0, space);
      const values = this.#lines.get(keyword);
      const value = space < 0 ? '' : line.slice(space + 1);
      if (values === undefined) this.#lines.set(keyword, [value]);
      else values.push(value);
    }
  }

  all(keyword: string): readonly string[] {
    return this.#lines.get(keyword) ?? [];
  }

  one(keyword: string): string {
    const [value, ...more] = this.all(keyword);
    if (value === undefined || more.length > 0) throw this.malformed(`${keyword} is not there once`);
    return value;
  }

  /** Lines `KEYWORD INDEX REST` by index. */
  indexed(keyword: string): ReadonlyMap<number, string> {
    return new Map(
      this.all(keyword).map((line) => {
        const [, index, rest] = /^(\d+) ?(.*)$/.exec(line) ?? [];
        if (index === undefined) throw this.malformed(`${keyword} has no number`);
        return [Number(index), rest ?? ''];
      }),
    );
  }

  /** The elements of `asked` whose digit in the line `KEYWORD 0110…` is 1. */
  chosen(keyword: string, asked: readonly string[]): string[] {
    const digits = this.one(keyword);
    if (!/^[01]*$/.test(digits) || digits.length !== asked.length) {
      throw this.malformed(`${keyword} does not fit what was asked`);
    }
    return asked.filter((_, index) => digits[index] === '1');
  }

  /** Lines of `keyword` paired with the elements they stand for, in order. */
  paired(keyword: string, subjects: readonly string[]): [string, string][] {
    const lines = this.all(keyword);
    if (lines.length !== subjects.length) {
      throw this.malformed(`${lines.length} lines of ${keyword} where ${subjects.length} belong`);
    }
    return subjects.map((subject, index) => [subject, lines[index] as string]);
  }

  hex(value: string): Buffer {
    const bytes = Buffer.from(value, 'hex');
    if (bytes.length * 2 !== value.length) throw this.malformed('a value is not hexadecimal');
    return bytes;
  }

  number(value: string | undefined, radix: 8 | 10 | 16 = 10): number {
    const parsed = Number.parseInt(value ?? '', radix);
    if (Number.isNaN(parsed)) throw this.malformed(`"${value}" is not a number`);
    return parsed;
  }

  malformed(reason: string): KbinError {
    return new KbinError('The answer to the probe cannot be read', {
      host: this.host,
      step: 'probe',
      why: `${reason}; a file changed meanwhile, or a login script of the host prints something`,
      next: 'Run it again. If it stays, look at what `ssh HOST true` prints: it must print nothing.',
    });
  }
}
