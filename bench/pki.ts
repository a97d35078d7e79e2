/**
 * `node bench/main.ts pki`: every certificate and key of a three-master cluster, each tool in cold processes, kbin through
 * dist/kbin as a user starts it, against `cfssl gencert | cfssljson` and openssl for the same set (3 CAs, 23 leaves, one
 * key pair), and against kubeadm for the ten certificates of one master that it makes. The tools take turns, so that a busy
 * moment of the machine hits all. Limits: twice as fast as cfssl with P-256, three times with RSA-2048.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KeyAlgorithm } from '../src/cluster/cluster.ts';
import { parseCluster } from '../src/cluster/load.ts';
import { certificatePlan } from '../src/desired/certificates.ts';
import { writeCfsslSet } from './cfssl-set.ts';
import { writeOpensslSet } from './openssl-set.ts';
import { type BenchResult, median } from './result.ts';

const root = resolve(import.meta.dirname, '..');

interface Contest {
  readonly key: KeyAlgorithm;
  readonly rounds: number;
  /** How many times as fast as cfssl. */
  readonly atLeast: number;
}

const contests: readonly Contest[] = [
  { key: 'ecdsa-p256', rounds: 15, atLeast: 2 },
  { key: 'rsa-2048', rounds: 7, atLeast: 3 },
];

export async function benchPki(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-pki-'));
  try {
    const results: BenchResult[] = [];
    for (const contest of contests) results.push(await compete(contest, join(folder, contest.key)));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compete({ key, rounds, atLeast }: Contest, folder: string): Promise<BenchResult> {
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
  const opensslScript = writeOpensslSet(plan, input);
  const openssl = (): number => timed('bash', [opensslScript], output);
  const release = execFileSync('bash', [join(root, 'scripts/kubernetes.sh')], { encoding: 'utf8' });
  const program = join(release.trim().split('\n')[1] ?? '', 'kubeadm');
  const kubeadm = (): number => {
    writeFileSync(join(output, 'kubeadm.yaml'), kubeadmYaml(key, output));
    return timed(program, ['init', 'phase', 'certs', 'all', '--config', 'kubeadm.yaml'], output);
  };
  const tools = { kbin, cfssl, openssl, kubeadm };
  type Tool = keyof typeof tools;
  const times: Record<Tool, number[]> = { kbin: [], cfssl: [], openssl: [], kubeadm: [] };
  // The first round warms the caches of files and of compiled code, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [tool, run] of Object.entries(tools) as [Tool, () => number][]) {
      rmSync(output, { recursive: true, force: true });
      mkdirSync(output);
      const took = run();
      if (readdirSync(output).length === 0) throw new Error(`${tool} made nothing`);
      if (round > 0) times[tool].push(took);
    }
  }
  const own = median(times.kbin);
  const against = (tool: Tool): string =>
    `${median(times[tool]).toFixed(0)} ms, ${(median(times[tool]) / own).toFixed(1)} times`;
  const ratio = median(times.cfssl) / own;
  const line = `kbin pki init, ${key}: ${own.toFixed(0)} ms; cfssl|cfssljson: ${against('cfssl')} (limit ${atLeast}); openssl: ${against('openssl')}; kubeadm, 10 certificates of 26: ${against('kubeadm')}`;
  return { line, withinLimit: ratio >= atLeast };
}

function timed(command: string, argv: readonly string[], cwd: string): number {
  const start = performance.now();
  execFileSync(command, argv, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  return performance.now() - start;
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

function kubeadmYaml(key: KeyAlgorithm, folder: string): string {
  return `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
nodeRegistration: { name: k8s-master1 }
localAPIEndpoint: { advertiseAddress: 192.168.31.71 }
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: v1.20.2
certificatesDir: ${folder}/pki
controlPlaneEndpoint: 192.168.31.75:16443
featureGates: { PublicKeysECDSA: ${key.startsWith('ecdsa')} }
`;
}
