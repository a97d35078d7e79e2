import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../ca/stores.ts';
import { programFolder } from './transcript.ts';

let program = '';
beforeAll(async () => {
  program = join(await programFolder(), 'kbin.cjs');
}, 60_000);

function kbin(
  cache: string,
  ...argv: readonly string[]
): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache, NODE_DISABLE_COMPILE_CACHE: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

/** The code that was kept, by path below the cache. */
const kept = (cache: string): string[] =>
  existsSync(cache)
    ? readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => /^kbin-[^/]+\/./.test(name))
    : [];

describe('compiled code', () => {
  test('is kept for each command, used again, and not written twice', () => {
    const cache = join(temporaryFolder(), 'compiled');
    const help = kbin(cache, 'pki', 'init', '--help');
    expect(help.status).toBe(0);
    expect(kbin(cache, '--version').stdout).toBe('0.1.0\n');
    expect(kept(cache).map((name) => name.replace(/.*\//, ''))).toEqual(['none.code', 'pki-init.code']);
    const file = join(cache, kept(cache)[1] ?? '');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    utimesSync(file, 1, 1);
    expect(kbin(cache, 'pki', 'init', '--help')).toEqual(help);
    expect(statSync(file).mtimeMs).toBe(1000);
  });

  test('is not kept of a command that failed', () => {
    const cache = join(temporaryFolder(), 'compiled');
    expect(kbin(cache, 'nonsense').status).toBe(2);
    expect(kept(cache)).toEqual([]);
  });

  test.each([
    ['cut short', (code: Buffer) => code.subarray(0, code.length / 2)],
    ['empty in one place', (code: Buffer) => code.fill(0, code.length - 8192, code.length - 4096)],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s is put aside and written anew', (_what, damage) => {
    const cache = join(temporaryFolder(), 'compiled');
    const { stdout } = kbin(cache, '--help');
    const file = join(cache, kept(cache)[0] ?? '');
    const whole = readFileSync(file);
    writeFileSync(file, damage(Buffer.from(whole)));
    expect(kbin(cache, '--help')).toMatchObject({ status: 0, stdout, stderr: '' });
    expect(statSync(file).size).toBeGreaterThan(whole.length / 2);
    expect(kbin(cache, '--help')).toMatchObject({ status: 0, stdout, stderr: '' });
  });

  test('can do without a folder to be kept in', () => {
    const folder = temporaryFolder();
    const inTheWay = join(folder, 'file');
    writeFileSync(inTheWay, '');
    for (const cache of ['', join(inTheWay, 'compiled')]) {
      expect(kbin(cache, '--version')).toEqual(
        expect.objectContaining({ status: 0, stdout: '0.1.0\n', stderr: '' }),
      );
    }
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    expect(kbin(closed, '--version').status).toBe(0);
  });

  test('of builds that are gone is removed after a week', () => {
    const cache = join(temporaryFolder(), 'compiled');
    for (const [name, days] of [
      ['kbin-old-1', 8],
      ['kbin-old-2', 2],
      ['v26-of-node', 100],
    ] as const) {
      mkdirSync(join(cache, name), { recursive: true });
      const then = Date.now() / 1000 - days * 86_400;
      utimesSync(join(cache, name), then, then);
    }
    kbin(cache, '--version');
    const present = readdirSync(cache);
    expect(present).not.toContain('kbin-old-1');
    expect(present).toEqual(expect.arrayContaining(['kbin-old-2', 'v26-of-node']));
  });

  test('needs no import() at run time, which code that was compiled apart cannot do', () => {
    const text = readFileSync(join(dirname(program), 'program.cjs'), 'utf8');
    expect(text.match(/\bimport\(\s*["'`][^)]*\)/g)).toBeNull();
    expect(text).toMatch(/require\("node:http"\)/);
  });
});
