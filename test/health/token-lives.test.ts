import { expect, test } from 'vitest';
import { longestLife } from '../../src/health/token-lives.ts';

const [hour, day, minutes] = [3600, 24 * 3600, 600];

test.each([
  ['1.20: an hour', { extended: false }, hour],
  ['a Pod that asks for less', { extended: false, asked: 600 }, hour],
  ['a Pod that asks for more', { extended: false, asked: 2 * day }, 2 * day],
  ['what is asked for is cut', { extended: false, asked: 2 * day, most: 6 * hour }, 6 * hour],
  ['and may be asked for at any time', { extended: false, most: 30 * day }, 30 * day],
  ['from 1.21 on, a year', { extended: true }, 365 * day],
  ['which the limit does not cut', { extended: true, most: 6 * hour }, 365 * day],
  ['longer than that', { extended: true, most: 730 * day }, 730 * day],
  ['asked for by a Pod', { extended: true, asked: 400 * day }, 400 * day],
])('%s, and some minutes', (_what, settings, seconds) => {
  expect(longestLife(settings).seconds).toBe(seconds + minutes);
});

test('the reason is told', () => {
  expect(longestLife({ extended: false, most: 90 * minutes }).why).toBe(
    '--service-account-max-token-expiration is 15 h',
  );
  expect(longestLife({ extended: false, asked: 3 * day }).why).toBe('a Pod asks for tokens of 3 days');
  expect(longestLife({ extended: true }).why).toContain('--service-account-extend-token-expiration');
});
