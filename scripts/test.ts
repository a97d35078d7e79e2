/**
 * What `make test` runs. Every stage runs, whatever came before it, so that one run tells everything; the last line is
 * `N passed, N failed` alone, over all test files. A stage that fails without a failed test counts as one failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STAGES = [
  { name: 'lint' },
  { name: 'typecheck' },
  { name: 'unit', tests: true },
  { name: 'build' },
  { name: 'integration', tests: true },
];

/** The parts of vitest's JSON report that we read. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** A file that failed to load has no tests to fail. */
  testResults: { status: string; assertionResults: unknown[] }[];
}

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

function count(file: string): Count {
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function runStage(name: string, report: string | undefined): Count {
  const env = report ? { ...process.env, KBIN_TEST_REPORT: report } : process.env;
  const { status } = spawnSync('make', ['--no-print-directory', name], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let seen: Count = { passed: 0, failed: 0, skipped: 0 };
  try {
    if (report) seen = count(report);
  } catch {
    process.stderr.write(`test: ${name} left no report\n`);
    return { ...seen, failed: 1 };
  }
  return status !== 0 && seen.failed === 0 ? { ...seen, failed: 1 } : seen;
}

const dir = mkdtempSync(join(tmpdir(), 'kbin-test-'));
const total: Count = { passed: 0, failed: 0, skipped: 0 };
const troubled: string[] = [];
for (const { name, tests } of STAGES) {
  const seen = runStage(name, tests ? join(dir, `${name}.json`) : undefined);
  if (seen.failed > 0) troubled.push(name);
  total.passed += seen.passed;
  total.failed += seen.failed;
  total.skipped += seen.skipped;
}
rmSync(dir, { recursive: true });

if (troubled.length > 0) process.stdout.write(`test: failed in ${troubled.join(', ')}\n`);
if (total.passed === 0) process.stdout.write('test: no test passed\n');
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
