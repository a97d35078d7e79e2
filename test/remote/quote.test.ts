import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteArgv } from '../../src/remote/quote.ts';

/** What a real shell makes of it: its arguments, each ended by a NUL. */
function throughShell(argv: readonly string[]): string[] {
  const output = execFileSync('sh', ['-c', quoteArgv(['printf', '%s\\0', ...argv])]);
  return output.toString('utf8').split('\0').slice(0, -1);
}

describe('quoteArgv', () => {
  test('leaves plain words readable', () => {
    expect(quoteArgv(['systemctl', 'start', '--no-block', 'etcd.service'])).toBe(
      'systemctl start --no-block etcd.service',
    );
  });

  test.each([
    [['echo', ''], "echo ''"],
    [['echo', "it's"], "echo 'it'\\''s'"],
    [['echo', '~root', '$HOME', '`id`', 'a b'], "echo '~root' '$HOME' '`id`' 'a b'"],
    [['if', 'x'], "'if' x"],
    [['A=b', 'c'], "'A=b' c"],
    [['echo', 'naïve', '*'], "echo 'naïve' '*'"],
  ])('%j', (argv, expected) => {
    expect(quoteArgv(argv)).toBe(expected);
  });

  test('any argument survives a real shell', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '*', '~', '#', ';', '&', 'a'),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(
          argument.map((text) => Buffer.from(text.replaceAll('\0', '')).toString('utf8')),
          { minLength: 1, maxLength: 8 },
        ),
        (argv) => {
          expect(throughShell(argv)).toEqual(argv);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a script with every kind of quote survives as one argument of sh -c', () => {
    const script = `printf '%s|' "$1" 'a'"b" \`echo c\`\necho "\${2:-none}"`;
    const command = quoteArgv(['sh', '-c', script, 'sh', "x'y"]);
    expect(execFileSync('sh', ['-c', command]).toString()).toBe("x'y|ab|c|none\n");
  });

  test('refuses what a command line cannot carry', () => {
    expect(() => quoteArgv(['echo', 'a\0b'])).toThrow(/NUL/);
    expect(() => quoteArgv(['echo', 'x'.repeat(131_072)])).toThrow(/longer than a command line/);
    expect(execFileSync('sh', ['-c', quoteArgv(['printf', '%s', 'x'.repeat(131_000)])]).length).toBe(131_000);
  });
});
