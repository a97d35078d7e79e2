import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { anchors, linkTargets, type Page, pageAt, pages, root } from './pages.ts';

/** Where a link leads to nothing; those to other sites are not looked at. */
function deadLinks(page: Page): readonly string[] {
  return linkTargets(page).filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
    if (!existsSync(join(root, path))) return true;
    return anchor !== undefined && !anchors(path === page.path ? page : pageAt(path)).includes(anchor);
  });
}

it.each(pages.map(({ path }) => path))('every link in %s leads somewhere', (path) => {
  expect(deadLinks(pageAt(path))).toEqual([]);
});

it('every page is linked from README', () => {
  const linked = linkTargets(pageAt('README.md')).map((target) => target.split('#')[0]);
  expect(
    pages.map(({ path }) => path).filter((path) => path !== 'README.md' && !linked.includes(path)),
  ).toEqual([]);
});

it('dead links are found', () => {
  const text =
    '# A b\n[x](docs/none.md) [y](#a-b) [z](#c) [w](docs/ssh.md#nowhere) [v](https://example.org)\n';
  expect(deadLinks({ path: 'README.md', text })).toEqual(['docs/none.md', '#c', 'docs/ssh.md#nowhere']);
});
