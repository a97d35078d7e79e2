import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allInParallel, inParallel } from '../../src/apply/parallel.ts';

test('never more than the limit at once, results in order', async () => {
  let now = 0;
  let most = 0;
  const results = await inParallel(2, [3, 1, 2, 5, 4], async (item) => {
    most = Math.max(most, ++now);
    await sleep(item);
    now--;
    if (item === 2) throw new Error('two');
    return item * 10;
  });
  expect(most).toBe(2);
  expect(results).toEqual([
    { status: 'fulfilled', value: 30 },
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: new Error('two') },
    { status: 'fulfilled', value: 50 },
    { status: 'fulfilled', value: 40 },
  ]);
});

test('a failure waits for the others before it is thrown', async () => {
  const ended: number[] = [];
  const all = allInParallel(3, [1, 20], async (item) => {
    await sleep(item);
    ended.push(item);
    if (item === 1) throw new Error('one');
  });
  await expect(all).rejects.toThrow('one');
  expect(ended).toEqual([1, 20]);
});

test('nothing to do', async () => {
  expect(await inParallel(4, [], async () => 1)).toEqual([]);
});
