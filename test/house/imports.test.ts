import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { homes, mayImport, nouns, typesOnly } from './rules.ts';
import { roomOf, violations } from './violations.ts';

const root = join(import.meta.dirname, '../..');
const sources = ['src', 'pki'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !/(^|\/)\./.test(file))
    .map((file) => `${folder}/${file}`),
);
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the house', () => {
  it('has no import against the direction, no library away from home, no printing and no exit elsewhere', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap((path) => violations(path, text(path)))).toEqual([]);
  });

  it('has a rule for every room, and no rule for a room that is gone', () => {
    const rooms = [...new Set(sources.map(roomOf)), 'units'].filter((room) => room !== 'errors').sort();
    expect(Object.keys(mayImport).sort()).toEqual(rooms);
  });

  it('has every noun that the rules name', () => {
    expect([...nouns, ...typesOnly].filter((path) => !sources.includes(path))).toEqual([]);
  });

  it('gives a home to dependencies only', () => {
    const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> };
    expect(Object.keys(homes).filter((library) => !(library in dependencies))).toEqual([]);
  });
});

describe('a breach is found', () => {
  it.each([
    [
      'src/cluster/x.ts',
      "import { desire } from '../desired/desire.ts';",
      'imports src/desired/desire.ts: cluster must not know desired',
    ],
    [
      'src/remote/x.ts',
      "import {\n  a,\n  b,\n} from '../cluster/load.ts';",
      'imports src/cluster/load.ts: remote must not know cluster',
    ],
    [
      'src/diff/x.ts',
      "export { a } from '../apply/commit.ts';",
      'imports src/apply/commit.ts: diff must not know apply',
    ],
    [
      'src/health/x.ts',
      "const a = await import('../cli/output.ts');",
      'imports src/cli/output.ts: health must not know cli',
    ],
    [
      'src/apply/x.ts',
      "import { processIo } from '../cli/io.ts';",
      'imports src/cli/io.ts: apply must not know cli',
    ],
    ['src/health/x.ts', "import '../../pki/index.ts';", 'imports pki/index.ts: health must not know pki'],
    [
      'src/apply/x.ts',
      "import conf from '../../units/etcd/etcd.conf?raw';",
      'imports units/etcd/etcd.conf: apply must not know units',
    ],
    ['src/apply/x.ts', "import { Etcd3 } from 'etcd3';", 'imports etcd3, whose home is health'],
    [
      'src/cli/x.ts',
      "import type { X509 } from '@peculiar/x509';",
      'imports @peculiar/x509, whose home is ca',
    ],
    [
      'src/cluster/x.ts',
      "import _ from 'lodash/get';",
      'imports lodash, which has no home in test/house/rules.ts',
    ],
    ['src/apply/x.ts', 'process.exit(1);', 'process.exit: only main ends the process'],
    ['src/apply/x.ts', "console.log('x');", 'console.: only src/cli prints'],
    [
      'src/remote/x.ts',
      'const a = process.env.HOME;',
      'process.env: the environment is passed in, so that tests can say what it is',
    ],
    ['src/remote/ssh-utils.ts', '', 'a name that says nothing'],
  ])('%s with %s', (path, source, said) => {
    expect(violations(path, source)).toEqual([`${path}: ${said}`]);
  });

  it.each([
    ['src/apply/x.ts', "import type { Progress } from '../cli/io.ts';"],
    ['src/ca/x.ts', "import type { Cluster } from '../cluster/cluster.ts';"],
    ['src/cli/x.ts', "const { Client } = await import('../remote/connect.ts');"],
    ['src/diff/x.ts', '// process.exit is what main does\n/* console.log */'],
    ['src/remote/x.ts', "forward(): Promise<import('node:stream').Duplex>;"],
  ])('and nothing is in %s with %s', (path, source) => {
    expect(violations(path, source)).toEqual([]);
  });
});
