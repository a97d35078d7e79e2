/** What a program gets from a unit that kbin wrote, by the word of a real systemd. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unitWord } from '../../src/desired/template.ts';
import { type Lab, startHosts } from '../lab/lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startHosts({ names: ['words'] });
});
afterAll(() => lab?.stop());

/** The arguments that a unit with these words as its ExecStart= hands on, one for each of `values`. */
async function argvOf(values: readonly string[]): Promise<string[]> {
  const host = lab.host('words');
  const words = values.map((value) => ` \\\n  ${unitWord(`--flag=${value}`, 'flag')}`).join('');
  const unit = `[Service]\nType=oneshot\nExecStart=/bin/sh /root/words.sh${words}\nUMask=0077\n`;
  await host.run('sh', '-euc', 'printf %s "$1" >/etc/systemd/system/words.service', 'sh', unit);
  await host.sh(`printf '%s\\n' 'printf "%s\\0" "$@" >/root/argv' >/root/words.sh`);
  await host.sh('rm -f /root/argv; systemctl daemon-reload; systemctl start words.service');
  const hex = await host.sh(`od -An -v -tx1 /root/argv | tr -d ' \\n'`);
  return Buffer.from(hex, 'hex').toString('utf8').replace(/\0$/, '').split('\0');
}

const special = [
  ...['', ' ', 'a b', '  two  ', '"', "'", '\\', 'a\\', '\\"', "'a b'", '"a b"', '\\n', '\\x41', '\\101'],
  ...[
    '$HOME',
    '${HOME}',
    '$$',
    '$',
    '%',
    '%%',
    '%n',
    '%H',
    '100%',
    ';',
    '; a',
    '#',
    '# a',
    'a;b',
    '*',
    '?',
    '[a]',
    '~',
  ],
  ...[
    '`id`',
    '$(id)',
    '|',
    '&',
    '<',
    '>',
    '!',
    '@',
    '+',
    '-',
    ':',
    '{',
    '}',
    '=',
    ',',
    'größe',
    '日本',
    '🙂',
    '\u00a0',
    '\u3000',
  ],
  'a "b" $c %d \\e \'f\' `g` ;h #i',
];

test('every word arrives as it was given: what shells and systemd take for their own', async () => {
  expect(await argvOf(special)).toEqual(special.map((value) => `--flag=${value}`));
});

test('and whatever else a line of cluster.yaml can hold', async () => {
  const line = fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .filter((text) => !/\p{Cc}|\p{Cs}|[\u2028\u2029]/u.test(text));
  const ascii = fc.string({ unit: fc.constantFrom(...` "'\\$%;#{}()aHn0`), maxLength: 12 });
  const lines = fc.sample(fc.oneof(line, ascii), { numRuns: 1500, seed: 20 });
  expect(await argvOf(lines)).toEqual(lines.map((value) => `--flag=${value}`));
});
