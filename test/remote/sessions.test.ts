import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Sessions } from '../../src/remote/sessions.ts';

/** Acquires and tells whether that settled at once. */
async function goes(sessions: Sessions, stays = false): Promise<boolean> {
  let gone = false;
  sessions.acquire(stays).then(() => {
    gone = true;
  });
  await turn();
  return gone;
}

test('up to the limit go, the next waits for a release', async () => {
  const sessions = new Sessions(2);
  expect([await goes(sessions), await goes(sessions), await goes(sessions)]).toEqual([true, true, false]);
  sessions.release(false);
  expect(await goes(sessions)).toBe(false);
});

test('those that wait go in their order', async () => {
  const sessions = new Sessions(1);
  const order: number[] = [];
  await sessions.acquire(false);
  const waiting = [1, 2, 3].map((number) => sessions.acquire(false).then(() => order.push(number)));
  for (const one of waiting) {
    sessions.release(false);
    await one;
  }
  expect(order).toEqual([1, 2, 3]);
});

test('a limit that was learned holds', async () => {
  const sessions = new Sessions(8);
  for (let i = 0; i < 3; i++) await sessions.acquire(false);
  // The third was refused.
  sessions.release(false);
  sessions.learnLimit();
  expect(await goes(sessions)).toBe(false);
  sessions.release(false);
  sessions.release(false);
  expect([await goes(sessions), await goes(sessions)]).toEqual([true, false]);
});

test('nobody waits for commands that stay', async () => {
  const sessions = new Sessions(8);
  await sessions.acquire(false);
  sessions.learnLimit();
  const staying = goes(sessions, true);
  const behind = goes(sessions);
  expect([await staying, await behind]).toEqual([false, false]);
  // The running one ends, the staying one takes its place, and the one behind it is let go to be refused.
  let refused = false;
  sessions.acquire(false).then(() => {
    refused = true;
  });
  sessions.release(false);
  await turn();
  expect(sessions.allStay).toBe(false);
  sessions.release(false);
  await turn();
  expect(refused).toBe(true);
});
