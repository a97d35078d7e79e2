import { expect, test } from 'vitest';
import { matchesPattern, matchesPatternList } from '../../src/remote/pattern.ts';

test.each([
  ['node1', 'node1', true],
  ['node1', 'node?', true],
  ['node', 'node?', false],
  ['node12', 'node?', false],
  ['node12', 'node*', true],
  ['a.example.org', '*.example.org', true],
  ['axexample.org', '*.example.org', false],
  ['[10.0.0.1]:2222', '[10.0.0.?]:2222', true],
  ['1', '[0-9]', false],
  ['', '*', true],
])('%s against %s: %s', (text, pattern, expected) => {
  expect(matchesPattern(text, pattern)).toBe(expected);
});

test('a negated pattern that matches decides, wherever it stands', () => {
  expect(matchesPatternList('db.example.org', ['*.example.org', '!db.*'])).toBe(false);
  expect(matchesPatternList('db.example.org', ['!db.*', '*.example.org'])).toBe(false);
  expect(matchesPatternList('web.example.org', ['!db.*', '*.example.org'])).toBe(true);
  expect(matchesPatternList('web.example.org', ['!db.*'])).toBe(false);
});
