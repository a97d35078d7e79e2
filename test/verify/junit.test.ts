import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Check } from '../../src/health/check.ts';
import { toJUnit } from '../../src/verify/junit.ts';
import { report } from '../../src/verify/report.ts';
import { type Element, parseXml } from './xml.ts';

const began = new Date('2026-11-21T01:02:03.400Z');
const ended = new Date('2026-11-21T01:02:04.650Z');

function junit(checks: readonly Check[], subject = 'cluster prod'): string {
  const found = report({ subject, began, ended, etcd: { members: [], checks } });
  return toJUnit({ ...found, title: `kbin verify: ${subject}` });
}

/** What testmoapp/junitxml and Jenkins's junit-10.xsd let each element have. */
const allowed: Readonly<
  Record<string, { readonly attributes: readonly string[]; readonly children: readonly string[] }>
> = {
  testsuites: {
    attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'time'],
    children: ['testsuite'],
  },
  testsuite: {
    attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'timestamp', 'time', 'hostname'],
    children: ['testcase', 'properties', 'system-out', 'system-err'],
  },
  testcase: {
    attributes: ['classname', 'name', 'time'],
    children: ['failure', 'error', 'skipped', 'system-out', 'system-err'],
  },
  failure: { attributes: ['message', 'type'], children: [] },
  skipped: { attributes: ['message'], children: [] },
  'system-out': { attributes: [], children: [] },
};

function followsSchema({ name, attributes, children }: Element): void {
  const rule = allowed[name];
  if (rule === undefined) throw new Error(`<${name}> is no element of JUnit`);
  expect(rule.attributes).toEqual(expect.arrayContaining(Object.keys(attributes)));
  for (const child of children) {
    expect(rule.children).toContain(child.name);
    followsSchema(child);
  }
}

test('a report with one check of each kind, whole', () => {
  const text = junit([
    { id: 'alarms', status: 'pass', message: 'no alarm is raised' },
    { id: 'versions', status: 'warn', message: '3.4 & 3.5', next: 'finish it' },
    {
      id: 'member-reachable',
      target: 'n1',
      status: 'fail',
      message: 'says "no" <loudly>',
      next: 'look there',
    },
    { id: 'served-certificate', target: 'n1', status: 'skip', message: 'not seen' },
  ]);
  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="kbin verify: cluster prod" tests="4" failures="1" skipped="1" errors="0" time="1.25">
  <testsuite name="etcd" tests="4" failures="1" skipped="1" errors="0" timestamp="2026-11-21T01:02:03">
    <testcase classname="etcd.cluster" name="alarms" time="0"><system-out>no alarm is raised</system-out></testcase>
    <testcase classname="etcd.cluster" name="versions" time="0"><system-out>warning: 3.4 &amp; 3.5
next: finish it</system-out></testcase>
    <testcase classname="etcd.n1" name="member-reachable" time="0"><failure message="says &quot;no&quot; &lt;loudly&gt;" type="member-reachable">says &quot;no&quot; &lt;loudly&gt;
next: look there</failure></testcase>
    <testcase classname="etcd.n1" name="served-certificate" time="0"><skipped message="not seen"/></testcase>
  </testsuite>
</testsuites>
`);
});

describe('whatever the messages hold', () => {
  const text = fc.string({ unit: 'binary' });
  const check: fc.Arbitrary<Check> = fc.record(
    {
      id: text,
      target: text,
      status: fc.constantFrom('pass', 'warn', 'fail', 'skip'),
      message: text,
      next: text,
    },
    { requiredKeys: ['id', 'status', 'message'] },
  );

  test('the document is well-formed, follows the format, counts right, and loses no message', () => {
    fc.assert(
      fc.property(fc.array(check, { maxLength: 8 }), text, (checks, subject) => {
        const root = parseXml(junit(checks, subject));
        followsSchema(root);
        const cases = root.children.flatMap((suite) => suite.children);
        expect(cases).toHaveLength(checks.length);
        const of = (name: string) => cases.filter(({ children }) => children[0]?.name === name).length;
        expect(root.attributes).toMatchObject({
          tests: String(checks.length),
          failures: String(of('failure')),
          skipped: String(of('skipped')),
        });
        expect(of('failure')).toBe(checks.filter(({ status }) => status === 'fail').length);
        cases.forEach(({ children: [outcome] }, index) => {
          const message = checks[index]?.message ?? '';
          // A carriage return is read back as a line feed; what XML cannot hold became one mark.
          const kept = message.replaceAll(
            /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu,
            '\ufffd',
          );
          expect(outcome?.name === 'skipped' ? outcome.attributes.message : outcome?.text).toContain(kept);
        });
      }),
    );
  });
});
