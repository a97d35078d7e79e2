import { Command } from 'commander';
import { expect, it } from 'vitest';
import { createContext } from '../../src/cli/create-context.ts';
import type { Io } from '../../src/cli/io.ts';

const io = { env: {}, cwd: '/nowhere' } as Io;

it('reads the options of the program wherever they stand', async () => {
  const program = new Command('kbin').option('-c, --config <file>').option('--json').exitOverride();
  const context = createContext(program, io, () => {});
  let seen: unknown;
  program.command('plan').action(() => {
    seen = [context.config, context.json];
  });
  await program.parseAsync(['plan', '--json', '-c', 'x.yaml'], { from: 'user' });
  expect(seen).toEqual(['x.yaml', true]);
});

it('interrupts at the first signal, and leaves the second one to end the process', () => {
  const listeners = (): number[] => [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
  const before = listeners();
  const context = createContext(new Command('kbin'), io, () => {});
  expect(listeners()).toEqual(before);
  const signal = context.interrupt();
  expect(context.interrupt()).toBe(signal);
  expect([signal.aborted, listeners()]).toEqual([false, before.map((count) => count + 1)]);
  process.emit('SIGTERM', 'SIGTERM');
  expect([signal.aborted, signal.reason, listeners()]).toEqual([true, 'SIGTERM', before]);
});
