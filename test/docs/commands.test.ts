import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completionTree } from '../../src/cli/completion-tree.ts';
import type { Io } from '../../src/cli/io.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { faults, shownCommands } from './command-lines.ts';
import { codeBlocks, inlineCode, pageAt, pages, root } from './pages.ts';

const io: Io = {
  out: () => {},
  err: () => {},
  interactive: false,
  liveProgress: false,
  colour: false,
  env: {},
  cwd: '/',
  ask: () => Promise.reject(new Error('nobody to ask')),
};
const { program } = await buildProgram(undefined, io);

const codeOf = (path: string): string =>
  [...codeBlocks(pageAt(path)).flatMap(({ lines }) => lines), ...inlineCode(pageAt(path))].join('\n');

describe('what the documentation shows can be typed', () => {
  it.each(pages.map(({ path }) => path))('%s', (path) => {
    const wrong = shownCommands(pageAt(path)).flatMap((shown) =>
      faults(shown, program).map((fault) => `${shown.text}: ${fault}`),
    );
    expect(wrong).toEqual([]);
  });

  it('and it shows a good deal', () => {
    expect(pages.flatMap(shownCommands).filter(({ whole }) => whole).length).toBeGreaterThan(25);
  });

  it('also every target of make, and every variable of the environment', () => {
    const makefile = readFileSync(join(root, 'Makefile'), 'utf8');
    const help = program.helpInformation() + readFileSync(join(root, 'src/cli/program.ts'), 'utf8');
    const code = pages.map(({ path }) => codeOf(path)).join('\n');
    const targets = [...code.matchAll(/\bmake ([a-z][a-z-]*)/g)].map(([, target]) => target);
    const variables = [...code.matchAll(/\bKBIN_[A-Z0-9_]+/g)].map(([name]) => name);
    expect(targets.length).toBeGreaterThan(3);
    expect(targets.filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))).toEqual([]);
    expect(variables.filter((name) => name !== 'KBIN_INPUTS' && !help.includes(name))).toEqual([]);
  });

  it('README names every command', () => {
    const leaves = completionTree(program).filter(({ commands }) => commands.length === 0);
    const table = inlineCode(pageAt('README.md'));
    const isNamed = (path: string) => table.some((code) => code === path || code.startsWith(`${path} `));
    expect(leaves.map(({ path }) => path).filter((path) => !isNamed(path))).toEqual([]);
  });
});

describe('a command line that is wrong is found', () => {
  it.each([
    ['kbin pki lst', 'no command lst of pki'],
    ['kbin plan --exitcode', 'no option --exitcode of plan'],
    ['kbin render', 'render lacks --output'],
    ['kbin render -o', '-o without its value'],
    ['kbin pki show', 'show lacks <file|name>'],
    ['kbin verify twice', 'verify takes no "twice"'],
    ['kbin completion csh', 'csh is none of bash, zsh, fish'],
    ['kbin etcd', 'etcd alone does nothing'],
  ])('%s', (text, fault) => {
    expect(faults({ text, whole: true }, program)).toContain(fault);
  });
});
