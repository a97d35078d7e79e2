import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { structureRule } from '../../src/ca/lint.ts';
import { lintRules } from '../../src/ca/lint-rules.ts';
import { weaknesses } from '../../src/ca/weakness.ts';
import { pageAt, root, tableRows } from './pages.ts';

const rows = tableRows(pageAt('docs/check.md'));

/** Codes that are written out in the sources of `pki check`, and those of the store's own that it passes on. */
function codes(): string[] {
  const own = ['assess', 'assess-findings', 'check-authority', 'check-findings', 'check-store'].map(
    (name) => `src/ca/${name}.ts`,
  );
  const cli = readdirSync(join(root, 'src/cli/pki')).filter((name) => name.startsWith('check'));
  const text = [...own, ...cli.map((name) => `src/cli/pki/${name}`), 'src/ca/store-changes.ts']
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const written = [...text.matchAll(/(?:code: |failure\()'([a-z-]+)'/g)].map(([, code = '']) => code);
  const listed = [...text.matchAll(/^ {4}\| '([a-z-]+)'/gm)].map(([, code = '']) => code);
  const lists = listed.filter((code) => code.startsWith('crl-') && code !== 'crl-renewal');
  const problems = /interface StoreProblem \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
  const stops = [...problems.matchAll(/'([a-z-]+)'/g)].map(([, code = '']) => code);
  // These have a finding of their own, or are said of renewing alone.
  const silent = ['ca-expired', 'not-a-ca', 'ca-key-missing', 'signed-elsewhere', 'key-not-kept'];
  return [...new Set([...written, ...lists, ...stops, 'not-made', 'not-as-planned'])].filter(
    (code) => !silent.includes(code),
  );
}

it('docs/check.md has every rule, as it stands in the sources', () => {
  const rules = [structureRule, ...lintRules].map(({ id, source, severity, says }) => [
    `\`${id}\``,
    severity,
    says,
    source,
  ]);
  expect(rows.filter(({ length }) => length === 4)).toEqual(rules);
});

it('and every other code, and none that is gone', () => {
  const documented = rows
    .filter(({ length }) => length === 3)
    .flatMap(([cell = '']) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code));
  const all = [...codes(), ...weaknesses.map(({ id }) => id)].sort();
  expect(all.length).toBeGreaterThan(30);
  expect([...documented].sort()).toEqual([...new Set(all)]);
});
