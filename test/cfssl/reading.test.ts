import { describe, expect, it } from 'vitest';
import { readCertificateRequest } from '../../src/cfssl/certificate-request.ts';
import { readConfig } from '../../src/cfssl/config.ts';
import { parseDuration } from '../../src/cfssl/duration.ts';
import { hostSan } from '../../src/cfssl/hosts.ts';
import { readWords } from '../../src/cli/cfssl/flags.ts';
import { shieldWords } from '../../src/cli/cfssl/words.ts';
import { KbinError } from '../../src/errors.ts';

const failure = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof KbinError) return [error.message, error.details.why, error.details.next].join(' | ');
    throw error;
  }
  return 'none';
};

describe('durations', () => {
  it.each([
    ['8760h', 8760 * 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['-90s', -90_000],
    ['.5m1ms', 30_001],
    ['0', 0],
  ])('%s', (text, milliseconds) => expect(parseDuration(text, 'expiry')).toBe(milliseconds));

  it.each([
    ['10y', /there are no days or years.*write "87600h"/],
    ['30d', /write "720h"/],
    ['8760', /write "8760h"/],
    ['', /is not a duration/],
    ['1h ', /is not a duration/],
    ['2562048h', /longer than the 292 years/],
  ])('not %s', (text, said) => expect(failure(() => parseDuration(text, 'expiry'))).toMatch(said));
});

describe('JSON', () => {
  it.each([
    ['{"CN": 1}', /CN is a number, not a string/],
    ['{"hosts": "a", "names": {}}', /hosts is a string, not a list; names is an object, not a list/],
    ['{"key": {"size": "256"}}', /key\.size is a string, not a whole number/],
    ['{"key": {"size": 2.5}}', /key\.size is a number, not a whole number/],
    ['{"CN": "a", "CN": "b"}', /"CN" is there twice/],
    ['{"CN": "a", "cn": "b"}', /CN is there twice, spelt differently/],
    ['{"CN": "a",}', /is not JSON/],
    ['\ufeff{}', /is not JSON/],
    ['[]', /is a list, not an object/],
    ['null', /holds no object/],
    ['['.repeat(100_000), /is not JSON/],
    ['', /is not JSON/],
  ])('refused: %.30s', (text, said) =>
    expect(failure(() => readCertificateRequest(text, 'csr.json', []))).toMatch(said),
  );

  it('is read without regard to case, with null for what is not said', () => {
    const remarks: string[] = [];
    const text =
      '{"cn": "a", "HOSTS": null, "Names": [{"o": "b"}, null], "\u212aEY": {"ALGO": "rsa"}, "a \\"b\\": {": {"CN": 1}}';
    expect(readCertificateRequest(text, 'csr.json', remarks)).toEqual({
      CN: 'a',
      names: [{ O: 'b' }, {}],
      key: { algo: 'rsa' },
    });
    expect(remarks).toEqual(['csr.json: nothing reads the key a "b": {']);
  });
});

describe('a configuration', () => {
  const withProfile = (profile: object, further: object = {}): string =>
    failure(() =>
      readConfig(
        JSON.stringify({
          signing: { profiles: { p: { usages: ['signing'], expiry: '1h', ...profile } } },
          ...further,
        }),
        'c',
        [],
      ),
    );

  it.each<[object, RegExp]>([
    [{ expiry: '' }, /signing\.profiles\.p has no expiry/],
    [{ expiry: '0h' }, /is no time at all/],
    [{ usages: ['nothing'] }, /has no usages that there are/],
    [{ usages: [] }, /has no usages that there are/],
    [{ not_before: '2026-02-30T00:00:00Z' }, /is not a time/],
    [{ not_after: '2026-01-01' }, /is not a time/],
    [{ name_whitelist: '(' }, /no regular expression/],
    [{ name_whitelist: '\\Aa' }, /differently than cfssl/],
    [{ name_whitelist: '(?=a)' }, /differently than cfssl/],
    [{ policies: [{ ID: '1' }] }, /not an object identifier/],
    [{ policies: [{ ID: '1.2.3', Qualifiers: [{ Type: 'cps' }] }] }, /there is no qualifier "cps"/],
    [{ ca_constraint: { is_ca: true, max_path_len: -1 } }, /negative/],
    [{ auth_key: 'k' }, /no "k" in "auth_keys"/],
    [{ remote: 'toString' }, /no "toString" in "remotes"/],
  ])('%j is refused', (profile, said) => expect(withProfile(profile)).toMatch(said));

  it('without "signing" is none, and one whose profile nobody takes may need a server', () => {
    expect(failure(() => readConfig('{}', 'c', []))).toMatch(/has no "signing"/);
    expect(withProfile({ remote: 'r' }, { remotes: { r: 'host:8888' } })).toBe('none');
  });
});

describe('hosts', () => {
  it.each([
    ['::1.2.3.4', 'ip', '::102:304'],
    ['::ffff:1.2.3.4', 'ip', '1.2.3.4'],
    ['010.0.0.1', 'dns', '010.0.0.1'],
    ['localhost:80', 'uri', 'localhost:80'],
    ['Bob <bob@x.y>', 'email', 'bob@x.y'],
    ['HTTP://X/a b', 'uri', 'http://X/a%20b'],
  ])('%s', (host, type, value) => expect(hostSan(host)).toEqual({ type, value }));

  it('that no certificate can hold is refused', () =>
    expect(failure(() => hostSan('ü.de'))).toMatch(/is not ASCII/));
});

describe('words', () => {
  it("pass commander by, but for a request for help, and the program's own options stay where they are", () => {
    expect(shieldWords(['--json', 'cfssl', 'sign', '-ca', 'x'])).toEqual([
      '--json',
      'cfssl',
      'sign',
      '--',
      '-ca',
      'x',
    ]);
    expect(shieldWords(['cfssl', 'sign', '-ca', 'x', '-h'])).toEqual(['cfssl', 'sign', '--help']);
    expect(shieldWords(['cfssl', '--help'])).toEqual(['cfssl', '--help']);
  });

  it('are read as Go reads them', () => {
    const words = ['-ca', 'a', '--ca-key=b=c', '-initca=false', '-ca=d', '-', '--strict', '-config'];
    const { flags, operands } = readWords('gencert', ['ca', 'ca-key', 'initca', 'strict'], words);
    expect([...flags]).toEqual([
      ['ca', 'd'],
      ['ca-key', 'b=c'],
      ['initca', ''],
      ['strict', 'true'],
    ]);
    expect(operands).toEqual(['-', '-config']);
  });

  it.each([
    [['-prfile', 'x'], /no flag -prfile.*did you mean -profile\?/],
    [['-profile'], /-profile lacks its value/],
    [['-initca=maybe'], /true or false, not "maybe"/],
    [['-remote', 'x'], /does not know -remote.*only where it runs/],
  ])('%j are refused', (words, said) =>
    expect(failure(() => readWords('gencert', ['profile', 'initca'], words))).toMatch(said),
  );
});
