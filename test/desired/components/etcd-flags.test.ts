import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { versionOf } from '../../../src/cluster/version.ts';
import { etcdKnows, flagsOf, lifeText } from '../../../src/desired/components/etcd-flags.ts';
import { realVersions, run, unpackEtcd } from '../real-etcd.ts';

describe.each(realVersions)('the table against the real etcd %s', (version) => {
  let binary = '';
  beforeAll(() => {
    binary = unpackEtcd(version);
  }, 300_000);
  afterAll(() => rmSync(dirname(binary), { recursive: true, force: true }));

  test('every flag that --help shows is known, and the others are taken by the binary all the same', () => {
    const { stdout, stderr } = run(binary, ['--help']);
    const shown = new Set(
      [...`${stdout}${stderr}`.matchAll(/^ {2,}--([a-z0-9-]+)/gm)].map(([, flag]) => flag as string),
    );
    expect(shown.size).toBeGreaterThan(70);
    const table = new Set(flagsOf(versionOf(version)));
    expect([...shown].filter((flag) => !table.has(flag))).toEqual([]);
    const silent = [...table].filter((flag) => !shown.has(flag));
    const refused = silent.filter((flag) =>
      run(binary, [`--${flag}=`, '--help']).stderr.includes('not defined'),
    );
    expect(refused).toEqual([]);
  }, 60_000);

  test('flags of other releases are refused by the binary', () => {
    const others = ['3.4.23', '3.5.16', '3.6.5', '3.7.0'].flatMap((other) => flagsOf(versionOf(other)));
    const foreign = [...new Set(others)].filter((flag) => !flagsOf(versionOf(version)).includes(flag));
    expect(foreign.length).toBeGreaterThan(20);
    const taken = foreign.filter((flag) => !run(binary, [`--${flag}=`]).stderr.includes('not defined'));
    expect(taken).toEqual([]);
  }, 60_000);
});

test.each([
  ['ETCD_ENABLE_V2', { '3.4.23': true, '3.5.16': true, '3.6.5': false, '3.7.0': false }],
  [
    'ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK',
    { '3.4.23': true, '3.5.16': true, '3.6.5': true, '3.7.0': false },
  ],
  [
    'ETCD_FEATURE_GATES',
    { '3.4.23': false, '3.5.16': false, '3.6.0': true, '3.6.0-rc.1': true, '3.7.0': true },
  ],
  [
    'ETCD_MAX_CONCURRENT_STREAMS',
    { '3.4.19': false, '3.4.20': true, '3.5.4': false, '3.5.5': true, '3.6.0': true },
  ],
  ['ETCD_TLS_MIN_VERSION', { '3.4.23': false, '3.5.7': false, '3.5.8': true, '3.6.5': true }],
  ['ETCD_DISCOVERY', { '3.6.5': true, '3.7.0': false }],
  ['ETCD_UNSUPPORTED_ARCH', { '3.4.23': true, '3.7.0': true }],
  ['ETCD_NO_SUCH_THING', { '3.4.23': false, '3.7.0': false }],
])('%s', (variable, knownIn) => {
  const found = Object.keys(knownIn).map((version) => [version, etcdKnows(variable, versionOf(version))]);
  expect(Object.fromEntries(found)).toEqual(knownIn);
});

test('says when a variable exists', () => {
  expect(lifeText('ETCD_ENABLE_V2')).toBe('until 3.5');
  expect(lifeText('ETCD_FEATURE_GATES')).toBe('from 3.6.0 on');
  expect(lifeText('ETCD_MAX_CONCURRENT_STREAMS')).toBe('from 3.4.20 and 3.5.5 on');
  expect(lifeText('ETCD_NO_SUCH_THING')).toBeUndefined();
});
