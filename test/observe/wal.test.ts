import { expect, test } from 'vitest';
import { walIdentity } from '../../src/observe/wal.ts';

/** The first bytes of 0000000000000000-0000000000000000.wal of a real etcd 3.5.16 (3.4.23 writes the same). */
const segment = Buffer.from(
  '040000000000008408041000000000001e00000000000082080110bcf7e7f4051a1408a0bddda3b2bbac9b4010bbceb381a8e2acb22200000e',
  'hex',
);

test("a log's first records say whose it is", () => {
  expect(walIdentity(segment)).toEqual({ memberId: '4036b1db24775ea0', clusterId: '2264b312802ce73b' });
});

test('bytes that are no such log say nothing', () => {
  for (const length of [0, 7, 8, 16, 30]) expect(walIdentity(segment.subarray(0, length))).toBeUndefined();
  expect(walIdentity(Buffer.alloc(512))).toBeUndefined();
  expect(walIdentity(Buffer.alloc(512, 0xff))).toBeUndefined();
});
