import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KbinError } from '../../src/errors.ts';
import { inParallel, valuesOf } from '../../src/remote/parallel.ts';

test('never more than the limit at once, every item once, results in the order of the items', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (items, limit) => {
        let running = 0;
        let most = 0;
        const settled = await inParallel(items, limit, async (item) => {
          most = Math.max(most, ++running);
          await sleep(item);
          running--;
          return item * 2;
        });
        expect(valuesOf(settled)).toEqual(items.map((item) => item * 2));
        expect(most).toBe(Math.min(limit, items.length));
      },
    ),
    { numRuns: 30 },
  );
});

test('one failure stops no other, and is thrown as it is', async () => {
  const done: string[] = [];
  const error = new KbinError('node1 is down');
  const settled = await inParallel(['node1', 'node2', 'node3'], 1, async (host) => {
    if (host === 'node1') throw error;
    done.push(host);
    return host;
  });
  expect(done).toEqual(['node2', 'node3']);
  expect(() => valuesOf(settled)).toThrow(error);
});

test('several failures are all told', async () => {
  const settled = await inParallel(['node1', 'node2', 'node3'], 3, async (host) => {
    if (host !== 'node2')
      throw new KbinError(`cannot connect to ${host}`, { why: 'no answer', next: 'look at it' });
  });
  const thrown = await Promise.resolve(settled)
    .then(valuesOf)
    .catch((error: KbinError) => error);
  expect(thrown).toMatchObject({
    message: '2 of 3 hosts failed',
    details: {
      output: 'cannot connect to node1: no answer\ncannot connect to node3: no answer',
      next: 'look at it',
      cause: { errors: [{ message: 'cannot connect to node1' }, { message: 'cannot connect to node3' }] },
    },
  });
});

test('a defect of kbin is not hidden behind failures of hosts', async () => {
  const settled = await inParallel([1, 2], 2, async (item) => {
    throw item === 1 ? new KbinError('host') : new TypeError('defect');
  });
  expect(() => valuesOf(settled)).toThrow(TypeError);
});
