/**
 * `node bench/pki.ts`: every certificate and key of a three-master cluster, each tool in cold processes, kbin through
 * dist/kbin as a user starts it, against `cfssl gencert | cfssljson` for the same set (3 CAs, 23 leaves, one key pair).
 * The tools take turns, so that a busy moment of the machine hits both. Limits: at least as fast as cfssl with P-256,
 * twice as fast with RSA-2048.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KeyAlgorithm } from '../src/cluster/cluster.ts';
import { parseCluster } from '../src/cluster/load.ts';
import { certificatePlan } from '../src/desired/certificates.ts';
import { writeCfsslSet } from './cfssl-set.ts';

const root = resolve(import.meta.dirname, '..');

export interface PkiResult {
  readonly key: KeyAlgorithm;
  /** Medians, milliseconds. */
  readonly kbin: number;
  readonly cfssl: number;
  /** How many times as fast as cfssl. */
  readonly ratio: number;
  readonly atLeast: number;
  readonly goal: number;
}

const contests: readonly (Pick<PkiResult, 'key' | 'atLeast' | 'goal'> & { readonly rounds: number })[] = [
  { key: 'ecdsa-p256', rounds: 15, atLeast: 1, goal: 3 },
  { key: 'rsa-2048', rounds: 7, atLeast: 2, goal: 5 },
];

export async function benchPki(): Promise<PkiResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-pki-'));
  try {
    const results: PkiResult[] = [];
    for (const contest of contests) results.push(await compete(contest, join(folder, contest.key)));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compete(
  { key, rounds, atLeast, goal }: (typeof contests)[number],
  folder: string,
): Promise<PkiResult> {
  const input = join(folder, 'input');
  const output = join(folder, 'output');
  mkdirSync(input, { recursive: true });
  const text = clusterYaml(key);
  const plan = certificatePlan(parseCluster(text, { file: 'cluster.yaml', folder: input }));
  const bin = execFileSync('bash', [join(root, 'scripts/cfssl.sh')], { encoding: 'utf8' }).trim();
  const script = await writeCfsslSet(plan, input, bin);
  const kbin = (): number => {
    writeFileSync(join(output, 'cluster.yaml'), text);
    return timed(join(root, 'dist/kbin'), ['pki', 'init'], output);
  };
  const cfssl = (): number => timed('bash', [script], output);
  const times = { kbin: [] as number[], cfssl: [] as number[] };
  // The first round warms the caches of files and of compiled code, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [tool, run] of Object.entries({ kbin, cfssl }) as [keyof typeof times, () => number][]) {
      rmSync(output, { recursive: true, force: true });
      mkdirSync(output);
      const took = run();
      if (readdirSync(output).length === 0) throw new Error(`${tool} made nothing`);
      if (round > 0) times[tool].push(took);
    }
  }
  const medians = { kbin: median(times.kbin), cfssl: median(times.cfssl) };
  return { key, ...medians, ratio: medians.cfssl / medians.kbin, atLeast, goal };
}

function timed(command: string, argv: readonly string[], cwd: string): number {
  const start = performance.now();
  execFileSync(command, argv, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  return performance.now() - start;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function clusterYaml(key: KeyAlgorithm): string {
  return `name: bench
hosts:
  - { name: k8s-master1, address: 192.168.31.71, roles: [etcd, control-plane] }
  - { name: k8s-master2, address: 192.168.31.72, roles: [etcd, control-plane] }
  - { name: k8s-master3, address: 192.168.31.73, roles: [etcd, control-plane] }
etcd:       { version: 3.6.5 }
kubernetes: { version: 1.34.1 }
endpoint:   { address: 192.168.31.75, port: 16443 }
pki:        { key: ${key}, reserve: [192.168.31.74] }
`;
}

export function resultLine({ key, kbin, cfssl, ratio, atLeast, goal }: PkiResult): string {
  const verdict = ratio >= goal ? 'goal reached' : ratio >= atLeast ? 'within the limit' : 'TOO SLOW';
  const ms = (time: number): string => `${time.toFixed(0)} ms`;
  return `kbin pki init, ${key}: ${ms(kbin)}; cfssl|cfssljson: ${ms(cfssl)}; ${ratio.toFixed(1)} times as fast (limit ${atLeast}, goal ${goal}): ${verdict}`;
}

if (import.meta.main) {
  const results = await benchPki();
  for (const result of results) process.stdout.write(`${resultLine(result)}\n`);
  if (results.some(({ ratio, atLeast }) => ratio < atLeast)) process.exitCode = 1;
}
