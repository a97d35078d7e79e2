import { describe, expect, test } from 'vitest';
import { assess } from '../../src/ca/assess.ts';
import type { AssessOptions } from '../../src/ca/assess-findings.ts';
import { type Made, make } from './authorities.ts';

const root = make({ name: 'root', authority: {}, to: 3650 });
const now = new Date();

function codes(made: Pick<Made, 'der'>, options: Partial<AssessOptions> = {}) {
  const known = [{ name: 'etcd-ca', certificate: root.x509 }];
  const { findings } = assess(made.der, { now, withinHours: 720, authorities: known, ...options });
  return findings.map(({ code, severity }) => `${severity} ${code}`);
}

const leaf = (wanted: Partial<Parameters<typeof make>[0]> = {}) =>
  make({ name: 'm1', by: root, sans: ['m1'], ...wanted });

test('nothing is said of a good certificate, and what it leads to is told', () => {
  const { findings, signedBy, info } = assess(leaf().der, {
    now,
    withinHours: 720,
    authorities: [{ name: 'etcd-ca', certificate: root.x509 }],
  });
  expect({ findings, signedBy, days: info?.daysLeft }).toEqual({
    findings: [],
    signedBy: 'etcd-ca',
    days: 364,
  });
});

describe('how long it lasts', () => {
  test.each([
    [{ to: 31 }, []],
    [{ to: 29 }, ['fail expires-soon']],
    [{ from: -9, to: -1 }, ['fail expired']],
    [{ from: 2 }, ['fail not-yet-valid']],
    [{ to: 3650 * 1.1 }, ['warn long-life', 'warn outlives-ca']],
  ] as const)('%j', (span, expected) => {
    expect(codes(leaf(span)).sort()).toEqual([...expected].sort());
  });

  test('of what nobody uses, it is no fault', () => {
    expect(codes(leaf({ from: -9, to: -1 }), { idle: true })).toEqual(['warn expired']);
  });

  test('a certificate that ends with its CA does not outlive it', () => {
    expect(codes(leaf({ to: 3650 }))).toEqual([]);
  });
});

describe('what it leads to', () => {
  const issuing = make({ name: 'issuing', by: root, authority: { pathLength: 0 } });

  test('through an intermediate CA that was sent along, and not without it', () => {
    const own = leaf({ by: issuing });
    expect(codes(own, { sent: [issuing.der] })).toEqual([]);
    expect(codes(own)).toEqual(['fail issuer-unknown']);
    const known = [{ name: 'etcd-ca', certificate: root.x509 }];
    const { signedBy } = assess(own.der, { now, withinHours: 1, authorities: known, sent: [issuing.der] });
    expect(signedBy).toBe('etcd-ca (through CN=issuing)');
  });

  test('an intermediate CA that is itself what everyone trusts is enough', () => {
    const authorities = [{ name: 'etcd-ca', certificate: issuing.x509 }];
    expect(codes(leaf({ by: issuing }), { authorities })).toEqual([]);
    expect(codes(issuing, { authorities, roles: ['ca'] })).toEqual([]);
  });

  test('whatever its order, and with what does not belong there', () => {
    const second = make({ name: 'second', by: root, authority: { pathLength: 1 } });
    const third = make({ name: 'third', by: second, authority: {} });
    expect(
      codes(leaf({ by: third }), { sent: [issuing.der, second.der, third.der, Buffer.from('x')] }),
    ).toEqual([]);
  });

  test('a path length is counted, and a leaf signs nothing', () => {
    const below = make({ name: 'below', by: issuing, authority: {} });
    expect(codes(leaf({ by: below }), { sent: [below.der, issuing.der] })).toEqual(['fail path-not-allowed']);
    const another = leaf();
    // Node's own look at who may have signed it stops there already.
    expect(codes(leaf({ name: 'm2', by: another }), { sent: [another.der] })).toEqual([
      'fail issuer-unknown',
    ]);
  });

  test('a CA of the same name is another CA', () => {
    const namesake = make({ name: 'root', authority: {} });
    expect(codes(leaf({ by: namesake }))).toEqual(['fail signature-wrong']);
    expect(codes(leaf({ signedWith: namesake.privateKey }))).toEqual(['fail signature-wrong']);
  });

  test('what signed itself', () => {
    expect(codes(make({ name: 'm1', sans: ['m1'] }))).toEqual(['fail self-signed']);
    expect(codes(make({ name: 'm1', sans: ['m1'] }), { strange: 'warn' })).toEqual(['warn self-signed']);
    const foreign = make({ name: 'foreign', authority: {} });
    expect(codes(foreign, { roles: ['ca'] })).toEqual([]);
    expect(codes(foreign, { roles: ['server'] })).toContain('fail self-signed');
  });
});

test('what was revoked', () => {
  const own = leaf();
  const entry = { serial: own.x509.serialNumber, at: now, reason: 'superseded', name: 'm1' } as const;
  expect(codes(own, { revoked: [entry] })).toEqual(['fail revoked']);
  expect(codes(leaf(), { revoked: [entry] })).toEqual([]);
});

test('a role that it was not made for', () => {
  expect(codes(leaf({ sans: [] }), { roles: ['client'] })).toEqual([]);
  expect(codes(leaf({ sans: [] }), { roles: ['server'] })).toEqual(['fail server-sans']);
  expect(codes(leaf(), { roles: ['ca'] })).toEqual(['fail authority-unmarked']);
});

test('what is no certificate', () => {
  expect(codes({ der: leaf().der.subarray(0, 200) })).toEqual(['fail unreadable', 'fail structure']);
});
