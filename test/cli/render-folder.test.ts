import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RenderedFile, writeRendered } from '../../src/cli/render-folder.ts';

let root = '';
let folder = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kbin-render-'));
  folder = join(root, 'out');
});
afterEach(() => rmSync(root, { recursive: true }));

const file = (path: string, text: string, mode = 0o644): RenderedFile => ({
  path,
  mode,
  bytes: Buffer.from(text),
});
const first = [
  file('a/etc/conf', 'one'),
  file('a/etc/.pki-1/key', 'k1', 0o600),
  { path: 'a/etc/pki', mode: 0o777, link: '.pki-1' },
];
const second = [
  file('a/etc/conf', 'two'),
  file('a/etc/.pki-2/key', 'k2', 0o600),
  { path: 'a/etc/pki', mode: 0o777, link: '.pki-2' },
];

/** Every path with what it holds, without kbin's own list. */
function tree(below = folder): string[] {
  return readdirSync(below, { withFileTypes: true })
    .flatMap((entry): string[] => {
      const path = join(below, entry.name);
      if (entry.isDirectory()) return tree(path);
      if (entry.isSymbolicLink()) return [`${path.slice(folder.length + 1)} -> link`];
      return [`${path.slice(folder.length + 1)}=${readFileSync(path, 'utf8')}`];
    })
    .filter((line) => !line.startsWith('.kbin-render.json'))
    .sort();
}
const mode = (path: string) => (lstatSync(join(folder, path)).mode & 0o777).toString(8);

test('writes files with their modes and closed folders', () => {
  writeRendered(folder, first);
  expect(tree()).toEqual(['a/etc/.pki-1/key=k1', 'a/etc/conf=one', 'a/etc/pki -> link']);
  expect(['', 'a', 'a/etc/.pki-1', 'a/etc/.pki-1/key', '.kbin-render.json'].map(mode)).toEqual([
    '700',
    '700',
    '700',
    '600',
    '600',
  ]);
  expect(readFileSync(join(folder, 'a/etc/pki/key'), 'utf8')).toBe('k1');
});

test('replaces what it wrote, and removes what is wanted no more, with the folders that are empty then', () => {
  writeRendered(folder, [...first, file('b/etc/conf', 'gone')]);
  writeRendered(folder, second);
  expect(tree()).toEqual(['a/etc/.pki-2/key=k2', 'a/etc/conf=two', 'a/etc/pki -> link']);
  expect(existsSync(join(folder, 'b'))).toBe(false);
});

test.each<[string, () => void, string]>([
  ['a file of the user’s', () => writeFileSync(join(folder, 'a/mine'), ''), 'a/mine'],
  ['a file that the user edited', () => writeFileSync(join(folder, 'a/etc/conf'), 'mine'), 'a/etc/conf'],
  [
    'a link in place of a file',
    () => {
      rmSync(join(folder, 'a/etc/conf'));
      symlinkSync('/etc/passwd', join(folder, 'a/etc/conf'));
    },
    'a/etc/conf',
  ],
  [
    'a link in place of a folder',
    () => {
      rmSync(join(folder, 'a/etc/.pki-1'), { recursive: true });
      symlinkSync(root, join(folder, 'a/etc/.pki-1'));
    },
    'a/etc/.pki-1',
  ],
])('%s stops it before anything is touched', (_what, change, path) => {
  writeRendered(folder, first);
  change();
  const before = tree();
  expect(() => writeRendered(folder, second)).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ output: path, exit: 2 }) }),
  );
  expect(tree()).toEqual(before);
});

test('a folder with something in it, or no folder at all, is refused', () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), '');
  expect(() => writeRendered(folder, first)).toThrow(/holds what kbin render did not write/);
  expect(() => writeRendered(join(folder, 'mine'), first)).toThrow(/is not a folder/);
  expect(tree()).toEqual(['mine=']);
});

test('a run that breaks off half-way is carried on by the next', () => {
  writeRendered(folder, first);
  // The third file cannot be written: its folder is the file before.
  const broken = [second[0], file('z', ''), file('z/below', '')] as RenderedFile[];
  expect(() => writeRendered(folder, broken)).toThrow(/EEXIST|ENOTDIR/);
  expect(tree()).toContain('a/etc/conf=two');
  writeFileSync(join(folder, 'a/etc/.kbin-new-00000000-0000-4000-8000-000000000000'), 'half');
  writeRendered(folder, second);
  expect(tree()).toEqual(['a/etc/.pki-2/key=k2', 'a/etc/conf=two', 'a/etc/pki -> link']);
});

test.each(['not json', '{"../mine": []}', '{"/etc/passwd": []}', '{"a/../../mine": []}', '{"a": "b"}'])(
  'a list that was tampered with is not believed: %s',
  (list) => {
    writeRendered(folder, first);
    writeFileSync(join(root, 'mine'), 'mine');
    writeFileSync(join(folder, '.kbin-render.json'), list);
    expect(() => writeRendered(folder, second)).toThrow(/cannot be read/);
    expect(readFileSync(join(root, 'mine'), 'utf8')).toBe('mine');
  },
);
