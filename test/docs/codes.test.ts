import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { authorities, keyPairs, keyRings } from '../../pki/index.ts';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { shortNames } from '../../src/health/checks/control-plane/components.ts';
import { pageAt, root, tableRows } from './pages.ts';

/** What the sources of a folder have in these places, sorted. */
function found(paths: readonly string[], pattern: RegExp): readonly string[] {
  const text = paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  return [...new Set([...text.matchAll(pattern)].map(([, code = '']) => code))].sort();
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);
}

/** Codes of the first column. */
function documented(path: string): ReadonlySet<string> {
  return new Set(
    tableRows(pageAt(path)).flatMap(([cell = '']) =>
      [...cell.matchAll(/`([a-z0-9-]+)`/g)].map(([, code = '']) => code),
    ),
  );
}

it('docs/recovery.md has every code of a plan’s findings', () => {
  const codes = found(
    [...sources('src/diff'), ...sources('src/cli').filter((path) => /\/(live|plan)-/.test(path))],
    /(?:code: |stop\(|stopCluster\(|gapFinding\()'([a-z-]+)'/g,
  );
  expect(codes.length).toBeGreaterThan(25);
  const page = documented('docs/recovery.md');
  expect(codes.filter((code) => !page.has(code))).toEqual([]);
});

it('docs/verify.md has every check, and none that is gone', () => {
  const places = ['src/health/checks', 'src/health/checks/control-plane', 'src/health', 'src/verify'];
  const ids = found(
    places.flatMap(sources),
    /(?:\bid: |\bid = |judgeAnonymous\(|healthPath\(|judged\(\s*)'([a-z-]+)'/g,
  );
  expect(ids.length).toBeGreaterThan(25);
  const page = documented('docs/verify.md');
  // These are put together.
  const unchanged = ['etcd', ...controlPlaneComponents].map((component) => `${component}-unchanged`);
  const own = Object.values(shortNames).flatMap((name) => [
    `${name}-healthy`,
    `${name}-leader`,
    `${name}-certificate`,
  ]);
  const all = [...ids, ...unchanged, ...own, 'membership'];
  expect(all.filter((id) => !page.has(id))).toEqual([]);
  expect([...page].filter((id) => !all.includes(id))).toEqual([]);
});

it('docs/certificates.md has every certificate', () => {
  const leaves = authorities.flatMap((authority) => authority.leaves);
  const ids = [...authorities, ...leaves, ...keyPairs, ...keyRings].map(({ id }) => id);
  const cells = tableRows(pageAt('docs/certificates.md')).flatMap(([cell = '']) => cell.split(', '));
  expect(ids.filter((id) => !cells.includes(id))).toEqual([]);
});

it('docs/adopt.md has every code of an adoption’s findings, and none that is gone', () => {
  const text = readFileSync(join(root, 'src/ca/adoption.ts'), 'utf8');
  const union = /export type AdoptionCode =([^;]+);/.exec(text)?.[1] ?? '';
  const codes = [...union.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(15);
  const used = found(
    [
      'adopt.ts',
      ...['answers', 'authorities', 'encryption', 'findings', 'leaves', 'service-account'].map(
        (part) => `adopt-${part}.ts`,
      ),
    ].map((name) => `src/ca/${name}`),
    /(?:code: |'(?:warning|note)',\s*)'([a-z-]+)'/g,
  );
  expect(used).toEqual([...codes].sort());
  const page = tableRows(pageAt('docs/adopt.md')).flatMap(([cell = '']) =>
    [...cell.matchAll(/^`([a-z-]+)`(?:, `([a-z-]+)`)?$/g)].flatMap(([, one, two]) =>
      [one, two].filter((code) => code !== undefined),
    ),
  );
  expect(page.sort()).toEqual([...codes].sort());
});
