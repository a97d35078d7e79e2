import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mistake } from '../../src/cluster/mistake.ts';
import {
  readInteger,
  readMilliseconds,
  readPort,
  readSeconds,
  readSize,
  readValidity,
  sizeText,
} from '../../src/cluster/quantity.ts';

const hours = readValidity(1, 876_000);

describe('durations', () => {
  it('are the sum of their parts, in whatever order', () => {
    const part = fc.record({ count: fc.nat(20), unit: fc.constantFrom('y', 'w', 'd', 'h') });
    const size = { y: 8760, w: 168, d: 24, h: 1 };
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const total = parts.reduce((sum, { count, unit }) => sum + count * size[unit], 0);
        fc.pre(total >= 1 && total <= 876_000);
        expect(hours(parts.map(({ count, unit }) => `${count}${unit}`).join(''))).toBe(total);
      }),
    );
  });

  it.each([
    ['20y', 175_200],
    ['10y', 87_600],
    ['365d', 8760],
    ['87600h', 87_600],
    ['2w', 336],
    ['1y30d', 9480],
  ])('%s', (text, expected) => {
    expect(hours(text)).toBe(expected);
  });

  it('mean seconds or milliseconds where they have no unit', () => {
    const seconds = readSeconds(1, 3600);
    const milliseconds = readMilliseconds(10, 50_000);
    expect([seconds('90'), seconds('1m30s'), seconds('1h')]).toEqual([90, 90, 3600]);
    expect([milliseconds('250'), milliseconds('250ms'), milliseconds('2s')]).toEqual([250, 250, 2000]);
  });

  it('are never read from anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = hours(text);
        if (!(read instanceof Mistake)) expect(text).toMatch(/^(\d+[ywdh])+$/);
      }),
    );
  });
});

describe('sizes', () => {
  it('are what sizeText says of them', () => {
    const read = readSize(0, Number.MAX_SAFE_INTEGER);
    const factor = fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3, 1024 ** 4);
    fc.assert(
      fc.property(fc.nat(1000), factor, (count, unit) => {
        expect(read(sizeText(count * unit))).toBe(count * unit);
      }),
    );
  });

  it('refuse decimal units, and say the binary one', () => {
    const read = readSize(0, 1024 ** 5);
    expect(read('2G')).toEqual(new Mistake('"2G" may mean 1000 or 1024; write 2GiB'));
    expect(read('2kb')).toEqual(new Mistake('"2kb" may mean 1000 or 1024; write 2KiB'));
    expect([read('8GiB'), read('512 MiB'), read('1024')]).toEqual([8 * 1024 ** 3, 512 * 1024 ** 2, 1024]);
  });
});

describe('whole numbers', () => {
  it('are read exactly, or not at all', () => {
    const read = readInteger(0, Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (text) => {
        const number = read(text);
        if (!(number instanceof Mistake)) expect(String(number)).toBe(text);
      }),
    );
  });

  it('are ports from 1 to 65535', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65535 }), (port) => {
        expect(readPort(String(port))).toBe(port);
      }),
    );
    expect([readPort('0'), readPort('65536')].every((read) => read instanceof Mistake)).toBe(true);
  });
});
