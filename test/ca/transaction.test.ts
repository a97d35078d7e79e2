import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { planIds } from '../../src/ca/observed-store.ts';
import { openStore } from '../../src/ca/store.ts';
import { readConsistently } from '../../src/ca/store-files.ts';
import { changedFiles, removedFiles } from './process/changed-files.ts';
import { init, smallCount, smallPlan, temporaryFolder } from './stores.ts';

const run = promisify(execFile);
const script = (name: string): string => join(import.meta.dirname, 'process', name);

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** How often it touched the file system; only when it was not killed. */
  readonly effects: number;
}

/** Runs a script that kills itself when it touches the file system for the `killAt`-th time. */
function runAndKill(killAt: number, ...argv: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', script('kill-at.ts'), ...argv], {
      env: { ...process.env, KILL_AT: String(killAt) },
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    let effects = '';
    child.stdio[3]?.on('data', (text) => {
      effects += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ signal, code, effects: Number(effects) }));
  });
}

/** As a reader without the lock sees them. */
const read = (folder: string, paths: readonly string[]): (string | undefined)[] =>
  readConsistently(folder, (files) =>
    paths.map((path) => {
      const reading = files.read(path);
      return reading.state === 'read' ? reading.content.toString() : undefined;
    }),
  );

const leftovers = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.new$|\.commit/.test(name));

async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const steps = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('killed at any moment', () => {
  const files = [...changedFiles, ...removedFiles];
  const former = files.map((path) => `former content of ${path}\n`);
  const changed = files.map((path) => (changedFiles.includes(path) ? `new content of ${path}\n` : undefined));

  test('a change of several files is made whole or not at all, for readers and for the next run', async () => {
    const start = temporaryFolder();
    for (const [index, path] of files.entries()) {
      mkdirSync(join(start, path, '..'), { recursive: true });
      writeFileSync(join(start, path), former[index] ?? '');
    }
    const copy = (): string => {
      const folder = temporaryFolder();
      cpSync(start, folder, { recursive: true });
      return folder;
    };
    const whole = copy();
    const { effects, code } = await runAndKill(0, script('change-files.ts'), whole);
    expect(code).toBe(0);
    expect(read(whole, files)).toEqual(changed);
    expect(effects).toBeGreaterThan(30);
    const outcomes = new Set<string>();
    await inTurns(steps(effects), 3, async (step) => {
      const folder = copy();
      expect((await runAndKill(step, script('change-files.ts'), folder)).signal).toBe('SIGKILL');
      const seen = read(folder, files);
      expect([former, changed], `killed at effect ${step}`).toContainEqual(seen);
      await (await openStore(folder)).withLock(async () => undefined);
      expect(read(folder, files), `after effect ${step}`).toEqual(seen);
      expect(leftovers(folder)).toEqual([]);
      outcomes.add(seen[0] === changed[0] ? 'made' : 'not made');
    });
    expect(outcomes).toEqual(new Set(['made', 'not made']));
  }, 120_000);

  test('a first "pki init" leaves nothing or everything, and the next one completes it', async () => {
    const counted = await runAndKill(0, script('init.ts'), join(temporaryFolder(), 'pki'));
    const points = Array.from({ length: 12 }, (_, index) =>
      Math.ceil(((index + 0.5) * counted.effects) / 12),
    );
    await inTurns([...points, counted.effects], 2, async (step) => {
      const folder = join(temporaryFolder(), 'pki');
      expect((await runAndKill(step, script('init.ts'), folder)).signal).toBe('SIGKILL');
      const store = await openStore(folder);
      const present = planIds(smallPlan).filter((id) => store.view().key(id) !== undefined).length;
      expect([0, smallCount], `killed at effect ${step} of ${counted.effects}`).toContain(present);
      expect((await init(store)).kept).toBe(present);
      expect(await init(store)).toEqual({ applied: [], kept: smallCount, notes: [] });
      expect(leftovers(folder)).toEqual([]);
    });
  }, 120_000);
});

describe('when writing fails', () => {
  test('a file that may not grow leaves the store as it was, and the error says so', async () => {
    const folder = join(temporaryFolder(), 'pki');
    // One block: the first certificate does not fit. (Node ignores SIGXFSZ, so the write itself fails.)
    const limited = `ulimit -f 1 && exec "$0" "$@"`;
    const attempt = run('sh', ['-c', limited, process.execPath, script('init.ts'), folder]);
    await expect(attempt).rejects.toThrow(/cannot write .*\.crt/);
    await expect(attempt).rejects.toThrow(/it would be larger than this user's files may be/);
    expect(leftovers(folder)).toEqual([]);
    expect(existsSync(join(folder, 'etcd-ca/ca.crt'))).toBe(false);
    expect(await init(await openStore(folder))).toMatchObject({ kept: 0 });
  });
});

describe('two runs at once', () => {
  test('one makes the store, the other finds nothing to do', async () => {
    for (let round = 0; round < 3; round++) {
      const folder = join(temporaryFolder(), 'pki');
      const results = await Promise.all(
        steps(3).map(async () =>
          JSON.parse((await run(process.execPath, [script('init.ts'), folder, '2'])).stdout),
        ),
      );
      const applied = results
        .map((result: { applied: number }) => result.applied)
        .sort((one, other) => one - other);
      expect(applied).toEqual([0, 0, 23]);
      expect(leftovers(folder)).toEqual([]);
    }
  }, 60_000);
});

test('a view is of one moment while another process changes the store', async () => {
  const folder = join(temporaryFolder(), 'pki');
  const store = await openStore(folder);
  await init(store);
  let running = true;
  const writer = run(process.execPath, [script('init.ts'), folder, '9']).finally(() => {
    running = false;
  });
  const seen = new Set<number>();
  while (running) {
    const view = store.view();
    const complete = steps(9).filter(
      (number) => view.certificate(`etcd-peer@m${number}`) !== undefined,
    ).length;
    const keys = steps(9).filter((number) => view.key(`etcd-peer@m${number}`) !== undefined).length;
    expect(keys).toBe(complete);
    seen.add(complete);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writer;
  expect([...seen].every((count) => count === 1 || count === 9)).toBe(true);
}, 60_000);
