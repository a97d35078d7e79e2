import { expect, test } from 'vitest';
import { flagsOf, flagValues } from '../../src/desired/flag-values.ts';

test('flags in every form that Kubernetes takes them in', () => {
  const argv = ['/opt/kube-apiserver', '--a=1', '--b', '2', '--c', '--d_e=x=y', '--a=3', '-v', '--f='];
  expect(flagsOf(argv)).toEqual([
    ['a', '1'],
    ['b', '2'],
    ['c', 'true'],
    ['d-e', 'x=y'],
    ['a', '3'],
    ['f', ''],
  ]);
  expect(flagValues(argv, 'a')).toEqual(['1', '3']);
  expect(flagValues(argv, 'none')).toEqual([]);
});
