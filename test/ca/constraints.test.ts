import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toSan } from '../../pki/san.ts';
import { chainBelow, chainWanted, hasChain } from '../../src/ca/chain.ts';
import { forbiddenNames, pathLengthMistake } from '../../src/ca/constraints.ts';
import { pemText } from '../../src/ca/pem.ts';
import { type Made, make } from './authorities.ts';
import { temporaryFolder } from './stores.ts';

function constrained(value: string): string {
  const folder = temporaryFolder();
  const argv = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -subj /CN=ca -addext nameConstraints=critical,${value}`;
  execFileSync('openssl', argv.split(' '), { cwd: folder, stdio: 'pipe' });
  return readFileSync(join(folder, 'c'), 'utf8');
}

describe('names that a CA may sign for', () => {
  test.each([
    ['permitted;DNS:example.net', ['a.example.net', 'example.net', '10.0.0.1'], []],
    ['permitted;DNS:example.net', ['notexample.net'], ['notexample.net']],
    ['permitted;DNS:.example.net', ['A.Example.NET'], []],
    ['excluded;DNS:example.net', ['a.example.net', 'b.net'], ['a.example.net']],
    ['permitted;DNS:.example.net', ['example.net'], ['example.net']],
    ['permitted;email:example.org', ['a@example.org', 'a@EXAMPLE.org'], []],
    [
      'permitted;email:example.org',
      ['a@evilexample.org', 'a@b.example.org'],
      ['a@evilexample.org', 'a@b.example.org'],
    ],
    ['permitted;email:.example.org', ['a@b.example.org', 'a@example.org'], ['a@example.org']],
    ['permitted;email:.example.org', ['a@b.c.example.org', 'a@bexample.org'], ['a@bexample.org']],
    ['permitted;email:a@example.org', ['a@Example.org', 'ba@example.org'], ['ba@example.org']],
    [
      'permitted;email:a@example.org',
      ['A@example.org', 'a@b.example.org'],
      ['A@example.org', 'a@b.example.org'],
    ],
    ['excluded;email:example.org', ['a@evilexample.org', 'a@example.org'], ['a@example.org']],
    ['permitted;URI:example.org', ['https://example.org:1/a.b', 'spiffe://u@Example.org/x'], []],
    [
      'permitted;URI:example.org',
      ['http://evilexample.org', 'http://a.b/example.org'],
      ['http://evilexample.org', 'http://a.b/example.org'],
    ],
    ['permitted;URI:.example.org', ['http://a.b.example.org', 'http://example.org'], ['http://example.org']],
    [
      'permitted;URI:example.org',
      ['http://10.0.0.1/', 'http://[::1]/'],
      ['http://10.0.0.1/', 'http://[::1]/'],
    ],
    [
      'excluded;URI:.example.org',
      ['http://b.net', 'http://a.example.org', 'http://10.0.0.1/'],
      ['http://a.example.org', 'http://10.0.0.1/'],
    ],
    ['permitted;IP:10.0.0.0/255.0.0.0', ['10.1.2.3', 'a.b'], []],
    ['permitted;IP:10.0.0.0/255.0.0.0', ['11.1.2.3', 'fd00::1'], ['11.1.2.3', 'fd00::1']],
    ['permitted;IP:fd00::/ffff::', ['fd00::1'], []],
    ['permitted;DNS:a,permitted;DNS:b,excluded;DNS:x.b', ['a', 'y.b', 'x.b'], ['x.b']],
  ])('%s of %j', (value, names, forbidden) => {
    const found = forbiddenNames(constrained(value), names.map(toSan));
    expect(found.map((text) => text.split(' ')[0])).toEqual(forbidden);
  });
});

const pem = (...certificates: readonly Made[]): string =>
  certificates.map(({ der }) => pemText('CERTIFICATE', der)).join('');
const root = make({ name: 'root', authority: { pathLength: 2 } });
const upper = make({ name: 'upper', authority: { pathLength: 1 }, by: root });
const lower = make({ name: 'lower', authority: { pathLength: 0 }, by: upper });
const leaf = make({ name: 'leaf', by: lower });

test('how many CAs may stand below another', () => {
  expect(pathLengthMistake(pem(lower, upper, root))).toBeUndefined();
  const narrow = make({ name: 'upper', authority: { pathLength: 0 }, by: root });
  const below = make({ name: 'lower', authority: {}, by: narrow });
  expect(pathLengthMistake(pem(below, narrow, root))).toBe(
    'CN=upper allows 0 CAs below itself, and there is 1',
  );
  expect(pathLengthMistake(pem(below, leaf))).toBe('CN=leaf is no CA');
});

describe('what follows a leaf in its file', () => {
  test('is the CA and those above it, without the root, whatever their order', () => {
    expect(chainBelow(pem(root))).toBe('');
    expect(chainBelow(pem(lower, root, upper))).toBe(pem(lower, upper));
    expect(chainBelow(pem(lower))).toBe(pem(lower));
  });

  test('is wanted up to the CA that is trusted, through one below it', () => {
    expect(chainWanted(pem(leaf), pem(lower, upper, root))).toBe(pem(lower, upper));
    expect(chainWanted(pem(leaf, lower), pem(upper, root))).toBe(pem(lower, upper));
    expect(chainWanted(pem(leaf), pem(upper, root))).toBeUndefined();
    const other = make({ name: 'lower', authority: {} });
    expect(chainWanted(pem(leaf), pem(other))).toBeUndefined();
    const forged = make({ name: 'leaf', by: lower, signedWith: other.privateKey });
    expect(chainWanted(pem(forged), pem(lower))).toBeUndefined();
  });

  test('is compared as certificates', () => {
    const windows = pem(leaf, lower).replaceAll('\n', '\r\n');
    expect(hasChain(windows, pem(lower))).toBe(true);
    expect(hasChain(pem(leaf), pem(lower))).toBe(false);
    expect(hasChain(pem(leaf, lower, upper), pem(lower))).toBe(false);
    expect(hasChain(pem(leaf, upper), pem(lower))).toBe(false);
  });
});
