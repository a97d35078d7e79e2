import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  environmentValue,
  environmentValues,
  renderTemplate,
  unitValue,
  unitWord,
} from '../../src/desired/template.ts';
import { KbinError } from '../../src/errors.ts';

const plain = (value: string) => value;

describe('renderTemplate', () => {
  test('fills tags and sections, and leaves no line of a section that is off', () => {
    const template =
      'a={{a}}\n{{#b}}\nb={{b}}\n{{/b}}\n{{#list}}\n{{#items}}\n{{k}}={{v}}\n{{/items}}\n{{/list}}\nend\n';
    const items = [
      { k: 'x', v: '1' },
      { k: 'y', v: '2' },
    ];
    expect(renderTemplate(template, { a: '&<"', b: false, list: { items } }, plain)).toBe(
      'a=&<"\nx=1\ny=2\nend\n',
    );
    expect(renderTemplate(template, { a: '', b: '7', list: false }, plain)).toBe('a=\nb=7\nend\n');
  });

  test.each([
    ['a tag without a value', '{{a}}{{b}}', { a: '1' }, /no value for {{b}}/],
    ['a section without a value', '{{#s}}x{{/s}}', {}, /no value for {{s}}/],
    ['a tag in a list without a value', '{{#l}}{{k}}{{/l}}', { l: [{ k: '1' }, {}] }, /no value for {{k}}/],
    ['a name that every object has', '{{toString}}', {}, /no value for {{toString}}/],
    ['a value without a tag', 'text', { a: '1' }, /no line for a/],
    ['a tag whose value is a section', '{{a}}', { a: false }, /{{a}} is not text/],
    ['unescaped tags', '{{{a}}}', { a: '1' }, /not used in kbin's templates/],
    ['partials', '{{>a}}', { a: '1' }, /not used in kbin's templates/],
    ['inverted sections', '{{^a}}x{{/a}}', { a: '1' }, /not used in kbin's templates/],
  ])('refuses %s', (_what, template, view, message) => {
    expect(() => renderTemplate(template, view as never, plain)).toThrow(message);
  });

  test('a value is written by the file format’s rule, and never taken for a template', () => {
    expect(renderTemplate('{{a}}', { a: '{{b}}%' }, unitLike)).toBe('<{{b}}%>');
  });
  const unitLike = (value: string) => `<${value}>`;
});

describe('environmentValue', () => {
  test('sh reads back every text without control characters as it was', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kbin-env-'));
    const text = fc.array(
      fc.string({ unit: 'grapheme' }).filter((value) => !/\p{Cc}|[\u2028\u2029\u0085]/u.test(value)),
      {
        minLength: 20,
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(text, (values) => {
        const file = join(folder, 'env');
        writeFileSync(file, values.map((value, i) => `V${i}="${environmentValue(value, 'V')}"\n`).join(''));
        const print = values.map((_, i) => `"$V${i}"`).join(' ');
        const read = execFileSync('sh', ['-c', `. ${file}; printf '%s\\n' ${print}`], { encoding: 'utf8' });
        expect(read).toBe(values.map((value) => `${value}\n`).join(''));
        expect(Object.values(environmentValues(readFileSync(file, 'utf8')))).toEqual(values);
      }),
      { numRuns: 30, examples: [[Array(20).fill('a "b" $(c) `d` \\e \\" $HOME !x #y')]] },
    );
    rmSync(folder, { recursive: true });
  });

  test.each(['a\nb', 'a\rb', '\u0000', 'a\tb', '\u2028'])('refuses %j, naming the setting', (value) => {
    expect(() => environmentValue(value, 'ETCD_NAME')).toThrow(/^ETCD_NAME cannot be/);
  });
});

describe('unitValue', () => {
  test('doubles what starts a specifier', () => {
    expect(unitValue('/srv/100%/größe_1.2', 'data')).toBe('/srv/100%%/größe_1.2');
  });

  test.each([
    '/a b',
    'a"b',
    "a'b",
    'a\\b',
    'a$b',
    'a;b',
    'a*b',
    'a?b',
    'a[b]',
    'a\nb',
    'a`b`',
    '(a)',
    'a&b',
    'a|b',
    'a<b',
    '#a',
    '!a',
  ])('refuses %j as a mistake in cluster.yaml', (value) => {
    let caught: unknown;
    try {
      unitValue(value, 'data');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(KbinError);
    expect((caught as KbinError).details.exit).toBe(2);
  });
});

// test/integration/unit-words.test.ts asks a real systemd.
describe('unitWord', () => {
  test('quotes where it must, and keeps systemd from looking for variables and specifiers', () => {
    expect(unitWord('--controllers=*,bootstrapsigner', 'flag')).toBe('--controllers=*,bootstrapsigner');
    expect(unitWord('--x=100% $HOME', 'flag')).toBe('"--x=100%% $$HOME"');
    expect(unitWord('--x=a "b" \\', 'flag')).toBe('"--x=a \\"b\\" \\\\"');
  });

  test.each(['--x=a\nb', '--x=\u0000', ';', '$x', '"a', '@a', '!a'])('refuses %j', (value) => {
    expect(() => unitWord(value, 'flag')).toThrow(/^flag cannot be/);
  });
});
