import { resolve } from 'node:path';
import { type JUnitReport, toJUnit } from '../verify/junit.ts';
import type { Io } from './io.ts';
import { type Output, refuseTaken, writeOutput } from './output-file.ts';

const output: Output = {
  step: 'writing the JUnit report',
  option: '--junit',
  what: 'a JUnit report',
  isOne: (content) => /^<\?xml[\s\S]*?<testsuites?[\s>]/.test(content.toString('utf8')),
};

/**
 * What writes the report into the file that `--junit` names; undefined where it names none. Throws KbinError at once
 * when the file must not be replaced, and not after minutes of looking at hosts.
 */
export function junitWriter(
  { cwd }: Io,
  named: string | undefined,
): ((report: JUnitReport) => void) | undefined {
  if (named === undefined) return undefined;
  const file = resolve(cwd, named);
  refuseTaken(file, output);
  return (report) => writeOutput(file, toJUnit(report), output);
}
