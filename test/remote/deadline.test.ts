import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadline } from '../../src/remote/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('expires once, after its time', () => {
  const expire = vi.fn();
  new Deadline(10, expire);
  vi.advanceTimersByTime(9_999);
  expect(expire).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(expire).toHaveBeenCalledTimes(1);
});

test('stands still while somebody is asked, also by several at once', async () => {
  const expire = vi.fn();
  const deadline = new Deadline(10, expire);
  vi.advanceTimersByTime(6_000);
  const answers = [5_000, 90_000].map((ms) =>
    deadline.pausedDuring(() => new Promise<void>((resolve) => setTimeout(resolve, ms))),
  );
  await vi.advanceTimersByTimeAsync(90_000);
  await Promise.all(answers);
  await vi.advanceTimersByTimeAsync(3_999);
  expect(expire).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(expire).toHaveBeenCalledTimes(1);
});

test('goes on after an answer that failed, and never after it was cleared', async () => {
  const expire = vi.fn();
  const deadline = new Deadline(10, expire);
  await expect(deadline.pausedDuring(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await deadline.pausedDuring(async () => deadline.clear());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(expire).not.toHaveBeenCalled();
});
