import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExternal } from '../../src/cluster/external.ts';
import { parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { exitCode, KbinError } from '../../src/errors.ts';

/** Whatever a file holds, the loader returns a cluster or says what is wrong with it: no crash, no hang, no nonsense. */
const where = { file: 'c.yaml', folder: '/x', home: '/home/me' };
const example = readFileSync(new URL('everything.yaml', import.meta.url), 'utf8');

function survives(text: string): void {
  for (const parse of [parseClusterWithWarnings, parseExternal]) {
    try {
      parse(text, where);
    } catch (error) {
      if (!(error instanceof KbinError)) throw error;
      expect(error.details.exit).toBe(exitCode.usage);
      // Every line but the first has a place that exists.
      const lines = error.message.split('\n').slice(1);
      const last = text.split('\n').length;
      for (const line of lines) {
        const [, row, column] = /^c\.yaml:(\d+):(\d+): ./.exec(line) ?? [];
        expect(Number(row), line).toBeGreaterThan(0);
        expect(Number(row), line).toBeLessThanOrEqual(last);
        expect(Number(column), line).toBeGreaterThan(0);
      }
    }
  }
}

describe('a hostile cluster.yaml', { timeout: 120_000 }, () => {
  it('may be any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), survives), { numRuns: 200 });
  });

  it('may be a good one with pieces cut out, doubled or put elsewhere', () => {
    const place = fc.nat(example.length);
    const piece = fc.constantFrom(
      '',
      ' ',
      '\n',
      '\t',
      ':',
      '-',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '!x ',
      '"',
      '|',
      '#',
      '<<: ',
      '~',
      '\0',
    );
    const cut = fc.tuple(place, fc.nat(30), piece, place);
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 6 }), (cuts) => {
        let text = example;
        for (const [from, length, put, to] of cuts) {
          const taken = text.slice(from, from + length);
          text = text.slice(0, from) + put + text.slice(from + length);
          text = text.slice(0, to) + taken + text.slice(to);
        }
        survives(text);
      }),
      { numRuns: 200 },
    );
  });

  it('may be a good one with any value in any place', () => {
    const value = fc.oneof(
      fc.constantFrom(
        '[]',
        '{}',
        '~',
        '""',
        '[[]]',
        '{ a: b }',
        '-1',
        '1e9',
        '.inf',
        '0x10',
        '2026-01-01',
        '__proto__',
        'true',
        '!!int 3',
      ),
      fc.stringMatching(/^[a-z0-9.:/_-]{1,12}$/),
    );
    const lines = example.split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), value, (at, put) => {
        const changed = lines.map((line, index) => (index === at ? line.replace(/: .*/, `: ${put}`) : line));
        survives(changed.join('\n'));
      }),
      { numRuns: 300 },
    );
  });

  it('may multiply itself with aliases', () => {
    const levels = [...'abcdefghijklmnop'];
    const lines = levels.map((name, index) => {
      const before = levels[index - 1];
      const entries = before === undefined ? 'x' : Array(9).fill(`*${before}`).join(', ');
      return `${name}: &${name} [${entries}]`;
    });
    survives(lines.join('\n'));
  });

  it('may be nested without end', () => {
    survives('['.repeat(5000));
    survives(`a: ${'{ b: '.repeat(2000)}`);
    survives(`pki: ${'{ subject: '.repeat(1000)}1${' }'.repeat(1000)}`);
    survives(`name: ${'['.repeat(1000)}${']'.repeat(1000)}`);
  });
});
