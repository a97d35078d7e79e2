import type { Check } from '../health/check.ts';
import type { Section } from './report.ts';

/** What JUnit has room for. */
export interface JUnitReport {
  /** `kbin verify: cluster prod` */
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Seconds that looking took. */
  readonly seconds: number;
  readonly sections: readonly Section[];
}

/**
 * A report as JUnit XML, in the form that CI systems read: a testsuite per section, a testcase per check. Failed
 * checks are failures; warnings pass and say so in system-out. Format: https://github.com/testmoapp/junitxml
 */
export function toJUnit(report: JUnitReport): string {
  const { sections, title } = report;
  const all = sections.flatMap(({ checks }) => checks);
  const count = (status: Check['status']) => all.filter((check) => check.status === status).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({
      name: title,
      tests: all.length,
      failures: count('fail'),
      skipped: count('skip'),
      errors: 0,
      time: report.seconds,
    })}>`,
    ...sections.flatMap((section) => suite(section, report)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite({ name, checks }: Section, { at }: JUnitReport): string[] {
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  return [
    `  <testsuite${attributes({
      name,
      tests: checks.length,
      failures: count('fail'),
      skipped: count('skip'),
      errors: 0,
      // The format has no room for a zone.
      timestamp: at.slice(0, 19),
    })}>`,
    ...checks.map((check) => testcase(name, check)),
    '  </testsuite>',
  ];
}

function testcase(section: string, check: Check): string {
  const { id, target, message, next } = check;
  const opening = `    <testcase${attributes({ classname: `${section}.${target ?? 'cluster'}`, name: id, time: 0 })}>`;
  return `${opening}${outcome(check, next === undefined ? message : `${message}\nnext: ${next}`)}</testcase>`;
}

function outcome({ id, status, message }: Check, text: string): string {
  if (status === 'fail') return `<failure${attributes({ message, type: id })}>${escaped(text)}</failure>`;
  if (status === 'skip') return `<skipped${attributes({ message })}/>`;
  return `<system-out>${escaped(status === 'warn' ? `warning: ${text}` : text)}</system-out>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** What XML 1.0 has no way to write, not even escaped, becomes the replacement character. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
