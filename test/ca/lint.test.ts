import { describe, expect, test } from 'vitest';
import { lint, structureRule } from '../../src/ca/lint.ts';
import { takeApart } from '../../src/ca/lint-certificate.ts';
import { lintRules } from '../../src/ca/lint-rules.ts';
import { type Broken, brokenCertificates, soundCertificates } from './broken-certificates.ts';

function findingsOf({ der, roles, issuer }: Omit<Broken, 'rules' | 'says'>) {
  return lint(der, { roles, ...(issuer === undefined ? {} : { issuer: takeApart(issuer) }) });
}

describe('every rule finds what breaks it, and nothing else', () => {
  test.each(Object.entries(brokenCertificates))('%s', (_what, broken) => {
    const findings = findingsOf(broken);
    expect([...new Set(findings.map(({ rule }) => rule))]).toEqual(broken.rules);
    expect(findings.map(({ message }) => message).join('\n')).toMatch(broken.says);
  });

  test('and each has a certificate that breaks it', () => {
    const broken = new Set(Object.values(brokenCertificates).flatMap(({ rules }) => rules));
    const all = [structureRule, ...lintRules].map(({ id }) => id);
    expect(all.filter((id) => !broken.has(id))).toEqual([]);
    expect([...broken].filter((id) => !all.includes(id))).toEqual([]);
  });
});

test.each(Object.entries(soundCertificates))('nothing is said of %s', (_what, sound) => {
  expect(findingsOf(sound)).toEqual([]);
});

test('a rule has an id of its own, and says where it stands', () => {
  const ids = lintRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, source } of [structureRule, ...lintRules]) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(source).toMatch(/^(RFC \d{4,5} (sections? [\d.]+|Appendix)|X\.690 section)/);
  }
});

test('whatever octet is changed, a finding or none is the answer, and quickly', () => {
  const { der } = soundCertificates['a member of etcd'] ?? { der: Buffer.alloc(0) };
  let found = 0;
  for (let at = 0; at < der.length; at++) {
    for (const octet of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const changed = Buffer.from(der);
      changed[at] = octet;
      if (lint(changed, { roles: ['server', 'client'] }).length > 0) found++;
    }
  }
  expect(found).toBeGreaterThan(500);
});
