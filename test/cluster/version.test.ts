import { describe, expect, test } from 'vitest';
import { compareMinors, compareVersions, parseVersion, versionOf } from '../../src/cluster/version.ts';

test.each([
  ['3.5.16', { major: 3, minor: 5, patch: 16, preRelease: '' }],
  ['v1.34.1', { major: 1, minor: 34, patch: 1, preRelease: '' }],
  ['3.7.0-rc.1', { major: 3, minor: 7, patch: 0, preRelease: 'rc.1' }],
  ['3.5.0+git', { major: 3, minor: 5, patch: 0, preRelease: '' }],
  ['3.5', undefined],
  ['three', undefined],
])('%s', (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

describe('order', () => {
  const ordered = [
    '3.4.9',
    '3.4.23',
    '3.5.0-alpha.2',
    '3.5.0-rc.1',
    '3.5.0-rc.10',
    '3.5.0',
    '3.5.1',
    '3.10.0',
    '4.0.0',
  ];
  test('releases in their order', () => {
    const shuffled = [...ordered].reverse();
    expect(shuffled.sort((a, b) => compareVersions(versionOf(a), versionOf(b)))).toEqual(ordered);
  });
  test('minors do not look at patches', () => {
    expect(compareMinors(versionOf('3.5.9'), versionOf('3.5.1'))).toBe(0);
    expect(compareMinors(versionOf('3.10.0'), versionOf('3.9.9'))).toBeGreaterThan(0);
  });
});
