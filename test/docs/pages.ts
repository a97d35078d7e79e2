import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A Markdown page of the documentation. */
export interface Page {
  /** Below the repository. */
  readonly path: string;
  readonly text: string;
}

const folder = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));

export const pages: readonly Page[] = ['README.md', 'CHANGELOG.md', ...folder.map((name) => `docs/${name}`)]
  .filter((path) => path !== 'docs/README.md')
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

export function pageAt(path: string): Page {
  const found = pages.find((page) => page.path === path);
  if (found === undefined) throw new Error(`no page ${path}`);
  return found;
}

interface Block {
  /** What stands after the fence: sh, console, yaml. */
  readonly language: string;
  readonly lines: readonly string[];
}

export function codeBlocks({ text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
    language,
    lines: body.replace(/\n$/, '').split('\n'),
  }));
}

/** The page without its code blocks. */
function prose({ text }: Page): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}

/** `like this`, outside of blocks. In a table a bar is written `\|`. */
export function inlineCode(page: Page): readonly string[] {
  return [...prose(page).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));
}

export function linkTargets(page: Page): readonly string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** As GitHub makes them of headings. */
export function anchors(page: Page): readonly string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/[`*]|\[|\]\([^)]*\)/g, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

/** Every row of every table; its cells trimmed, without the heads and the rules beneath them. */
export function tableRows(page: Page): readonly (readonly string[])[] {
  const lines = prose(page).split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

function isRule(line: string): boolean {
  return /^\|[-|]+\|$/.test(line);
}
