import { expect, test } from 'vitest';
import { keyIdIn } from '../../src/health/token-keys.ts';

const token = (header: unknown) =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.c2lnbmF0dXJl`;

test('the key that signed a token is in its header', () => {
  expect(keyIdIn(token({ alg: 'ES256', kid: 'EnBUFYOhJ71hu1n0' }))).toBe('EnBUFYOhJ71hu1n0');
});

test.each(['', 'nonsense', '.', 'e30.e30.e30', token({}), token(null), token([]), token({ kid: 7 }), '\0'])(
  '%j names none',
  (text) => {
    expect(keyIdIn(text)).toBeUndefined();
  },
);
