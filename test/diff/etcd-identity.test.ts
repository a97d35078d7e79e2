import { describe, expect, test } from 'vitest';
import { bootstrapIdentity, membersAtJoining, sameId } from '../../src/diff/etcd-identity.ts';

describe('bootstrapIdentity', () => {
  // Out of the log of an etcd 3.4.23 ("starting local member"); test/desired/real-start.test.ts asks real ones each time.
  test('is what etcd gives itself', () => {
    expect(bootstrapIdentity('loopback1=https://127.0.0.1:36959', 'prod', 'loopback1')).toEqual({
      clusterId: 'eefe86abf3ed08a5',
      memberId: 'cab93414f5c08be4',
    });
  });

  test('does not depend on the order of the members, nor on their names, but on URLs and token', () => {
    const [a, b] = ['a=https://1:2380', 'b=https://2:2380'];
    const identity = bootstrapIdentity(`${a},${b}`, 'prod', 'a');
    expect(bootstrapIdentity(`${b}, ${a}`, 'prod', 'a')).toEqual(identity);
    expect(bootstrapIdentity('x=https://1:2380,y=https://2:2380', 'prod', 'x')).toEqual(identity);
    expect(bootstrapIdentity(`${a},${b}`, 'other', 'a')).not.toEqual(identity);
    expect(bootstrapIdentity(a ?? '', 'prod', 'a')?.memberId).toBe(identity?.memberId);
    expect(bootstrapIdentity(a ?? '', 'prod', 'a')?.clusterId).not.toBe(identity?.clusterId);
  });

  test('there is none for a name that is not in the list', () => {
    expect(bootstrapIdentity('a=https://1:2380', 'prod', 'b')).toBeUndefined();
  });
});

test('ids are the same with leading zeros or without', () => {
  expect(sameId('0abc', 'abc')).toBe(true);
  expect(sameId('abc', 'abd')).toBe(false);
  expect(sameId(undefined, undefined)).toBe(false);
});

test.each([
  [undefined, 0],
  ['ETCD_NAME="a"\n', 0],
  ['ETCD_INITIAL_CLUSTER=""\n', 0],
  ['ETCD_INITIAL_CLUSTER="a=https://1:2380"\n', 1],
  ['ETCD_INITIAL_CLUSTER=a=https://1:2380,b=https://2:2380,a=https://3:2380\n', 2],
])('members at the time of joining in %j: %i', (conf, count) => {
  expect(membersAtJoining(conf)).toBe(count);
});
