import { expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';

test('mutated certificates, keys, requests, lists, PKCS #12, kubeconfigs, Secrets and JSON give an error or a result (make fuzz: 100,000 of them)', {
  timeout: 240_000,
}, async () => {
  const { accepted, refused } = await fuzz(920, 42);
  // Both happen, or the mutations do not reach what they are meant for.
  expect(accepted).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(300);
});
