import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/ca/store.ts';
import { KbinError } from '../../src/errors.ts';
import { temporaryFolder } from './stores.ts';

/** A process that holds the lock of a new store. */
async function holder(): Promise<{ folder: string; pid: number; kill: () => Promise<unknown> }> {
  const folder = join(temporaryFolder(), 'pki');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'process/hold-lock.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return closed;
  };
  onTestFinished(() => void kill());
  await once(child.stdout, 'data');
  return { folder, pid: child.pid ?? 0, kill };
}

test('who waits is told who holds the lock, and gives up with an error that names them', async () => {
  const { folder, pid } = await holder();
  const store = await openStore(folder);
  const told: string[] = [];
  const waiting = store.withLock(async () => 'work', { patience: 300, onWait: (who) => told.push(who) });
  const error = await waiting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(KbinError);
  expect((error as KbinError).message).toContain(`${folder} is in use by kbin pki init (process ${pid} of `);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(`process ${pid}`);
});

test('the lock ends with its process, however that ends', async () => {
  const { folder, kill } = await holder();
  const store = await openStore(folder);
  const work = store.withLock(async () => 'done', { patience: 30_000, onWait: () => void kill() });
  expect(await work).toBe('done');
});

test('within one process it excludes as well, and is free again after work that failed', async () => {
  const store = await openStore(join(temporaryFolder(), 'pki'));
  const order: string[] = [];
  const first = store.withLock(async () => {
    order.push('first begins');
    await new Promise((resolve) => setTimeout(resolve, 100));
    order.push('first ends');
    throw new Error('work failed');
  });
  const second = store.withLock(async () => void order.push('second'));
  await expect(first).rejects.toThrow('work failed');
  await second;
  expect(order).toEqual(['first begins', 'first ends', 'second']);
});

test.each([
  ['closed', 0o000, 0o644],
  ['not to be written', 0o555, 0o644],
  // SQLite would open it for reading, lock nothing, and say so to nobody.
  ['with a lock that is not to be written', 0o777, 0o444],
])('a folder of somebody else, %s, is told as what it is', async (_name, folderMode, lockMode) => {
  const outer = temporaryFolder();
  chmodSync(outer, 0o755);
  const folder = join(outer, 'pki');
  await (await openStore(folder)).withLock(async () => undefined);
  chmodSync(join(folder, '.lock'), lockMode);
  chmodSync(folder, folderMode);
  onTestFinished(() => chmodSync(folder, 0o700));
  const script = join(import.meta.dirname, 'process/as-another.ts');
  const said = JSON.parse(execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }));
  expect(said).toMatchObject({
    message: `cannot lock ${folder}/.lock`,
    details: { why: 'permission denied', next: 'run kbin as the user that owns the folder' },
  });
});
