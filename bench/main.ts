/**
 * `node bench/main.ts [NAME…]`: runs the named benches, or all; each compares kbin with other tools in the same run and
 * says whether it stays within its limit. Exit code 1 when one does not.
 */
import type { BenchResult } from './result.ts';

const benches: Readonly<Record<string, () => Promise<readonly BenchResult[]>>> = {
  pki: async () => (await import('./pki.ts')).benchPki(),
  bulk: async () => (await import('./bulk.ts')).benchBulk(),
  deploy: async () => (await import('./deploy.ts')).benchDeploy(),
  'control-plane': async () => (await import('./control-plane.ts')).benchControlPlane(),
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in benches));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no "${unknown}"; there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  for (const { line, withinLimit } of await bench()) {
    process.stdout.write(`${line}${withinLimit ? '' : ': TOO SLOW'}\n`);
    if (!withinLimit) process.exitCode = 1;
  }
}
