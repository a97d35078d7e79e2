import { expect, test } from 'vitest';
import { nodeMaskSize } from '../../../src/desired/components/node-mask.ts';

test.each([
  ['10.244.0.0/16', 24],
  ['10.0.0.0/8', 24],
  ['10.244.0.0/22', 24],
  ['10.244.0.0/24', 27],
  ['10.244.0.0/30', 32],
  ['fd00:244::/48', 64],
  ['fd00:244::/56', 64],
  ['fd00::/32', 48],
  ['fd00:244::/64', 72],
  ['fd00:244::/112', 120],
])('%s: nodes get ranges of /%i', (podCidr, size) => {
  expect(nodeMaskSize(podCidr)).toBe(size);
});

test('IPv6: never more than 16 bits for the nodes’ numbers, never less than the range', () => {
  for (let prefix = 0; prefix <= 128; prefix++) {
    const size = nodeMaskSize(`::/${prefix}`);
    expect(size).toBeGreaterThanOrEqual(prefix);
    expect(size).toBeLessThanOrEqual(Math.min(128, prefix + 16));
  }
});
