import { describe, expect, it } from 'vitest';
import { completionTree } from '../../src/cli/completion-tree.ts';
import { examplePaths } from '../../src/cli/examples.ts';
import type { Io } from '../../src/cli/io.ts';
import { buildProgram, groups } from '../../src/cli/program.ts';

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

describe('the command tree', async () => {
  const { program } = await buildProgram(undefined, io);
  const tree = completionTree(program);
  const leaves = tree.filter(({ commands }) => commands.length === 0);

  it('has each group once, in the order of the table', () => {
    expect(program.commands.map((command) => command.name())).toEqual(groups.map(({ name }) => name));
  });

  it('has an example for every command, and none for a command that is gone', () => {
    const paths = tree.map(({ path }) => path);
    expect(examplePaths.filter((path) => !paths.includes(path))).toEqual([]);
    // These carry their own beside their other notes.
    const own = ['kbin', 'kbin init', 'kbin completion'];
    expect(
      leaves.map(({ path }) => path).filter((path) => ![...examplePaths, ...own].includes(path)),
    ).toEqual([]);
  });

  it('says of every command and option what it is for', () => {
    const silent = tree.flatMap(({ path, commands, options }) => [
      ...commands.filter(({ summary }) => summary === '').map(({ name }) => `${path} ${name}`),
      ...options.filter(({ summary }) => summary === '').map(({ flags }) => `${path} ${flags.join(' ')}`),
    ]);
    expect(silent).toEqual([]);
  });

  it('keeps summaries short enough for one line of an 80-column help', () => {
    const long = tree.flatMap(({ commands }) => commands.filter(({ summary }) => summary.length > 60));
    expect(long).toEqual([]);
  });
});

it('imports one group only, for a command line', async () => {
  const { program } = await buildProgram(['-c', 'plan', 'init'], io);
  const registered = program.commands.filter(
    (command) => command.description() !== '' || command.commands.length > 0,
  );
  expect(registered.map((command) => command.name())).toEqual(['init']);
});
