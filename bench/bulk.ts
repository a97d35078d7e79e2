/**
 * `node bench/main.ts bulk`: 1,000 P-256 certificates for nodes. As a user starts it: `kbin pki sign` with 1,000 requests
 * against `cfssl sign | cfssljson` run for each, and `kbin pki init` of a cluster with 333 control-plane hosts, keys
 * included, against `cfssl gencert | cfssljson` for each. And in this process: keys and certificates a second. cfssl is
 * run for 100 of them, in turn with kbin, and counted tenfold.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { encodeExtension, encodeSans, extensionOids } from '../src/ca/extensions.ts';
import { issueAuthority, issueCertificate } from '../src/ca/issue.ts';
import { generateKeyPair } from '../src/ca/keys.ts';
import { encodeName } from '../src/ca/names.ts';
import { pemText } from '../src/ca/pem.ts';
import { encodeRequest } from '../src/ca/request.ts';
import { type BenchResult, median } from './result.ts';

const root = resolve(import.meta.dirname, '..');
const count = 1000;
/** How many of them cfssl really makes. */
const sample = 100;
const atLeast = 10;
const perSecond = 1000;

export async function benchBulk(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-bulk-'));
  try {
    const bin = execFileSync('bash', [join(root, 'scripts/cfssl.sh')], { encoding: 'utf8' }).trim();
    return [await inProcess(), await signing(join(folder, 'sign'), bin), making(join(folder, 'make'), bin)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const subjectOf = (index: number) =>
  [
    { type: 'O', value: 'system:nodes' },
    { type: 'CN', value: `system:node:node${index}` },
  ] as const;

/** A key and a certificate for each node, as `kbin pki init` makes them, without processes and files. */
async function inProcess(): Promise<BenchResult> {
  const now = new Date();
  const ca = await generateKeyPair('ecdsa-p256');
  const { issuer } = issueAuthority(
    {
      subject: [{ type: 'CN', value: 'kubernetes' }],
      usages: ['cert sign', 'crl sign'],
      spki: ca.spki,
      validityHours: 87_600,
      now,
    },
    createPrivateKey(ca.pem),
  );
  const rates: number[] = [];
  for (let round = 0; round < 6; round++) {
    const started = performance.now();
    for (let index = 0; index < count; index++) {
      const { spki } = await generateKeyPair('ecdsa-p256');
      issueCertificate(
        {
          subject: subjectOf(index),
          usages: ['digital signature', 'server auth', 'client auth'],
          sans: [
            { type: 'dns', value: `node${index}` },
            { type: 'ip', value: `10.0.${index >> 8}.${index & 255}` },
          ],
          spki,
          validityHours: 8760,
          now,
        },
        issuer,
      );
    }
    // The first round warms the compiler, and does not count.
    if (round > 0) rates.push((count * 1000) / (performance.now() - started));
  }
  const rate = median(rates);
  return {
    line: `in-process, P-256 keys and certificates: ${rate.toFixed(0)} a second (limit ${perSecond})`,
    withinLimit: rate >= perSecond,
  };
}

/** Requests that lie there already, as from a corporate CA's customers. */
async function signing(folder: string, bin: string): Promise<BenchResult> {
  const requests = join(folder, 'requests');
  mkdirSync(requests, { recursive: true });
  writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(1));
  execFileSync(join(root, 'dist/kbin'), ['pki', 'init'], { cwd: folder, stdio: 'ignore' });
  const files = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { pem, spki } = await generateKeyPair('ecdsa-p256');
      const subject = encodeName([{ type: 'CN', value: `node${index}` }]);
      const san = { type: 'dns', value: `node${index}.example` } as const;
      const extensions = [encodeExtension(extensionOids.subjectAltName, false, encodeSans([san]))];
      const file = join(requests, `node${index}.csr`);
      const der = encodeRequest({ subject, spki, extensions }, createPrivateKey(pem));
      writeFileSync(file, pemText('CERTIFICATE REQUEST', der));
      return file;
    }),
  );
  writeConfig(folder);
  const ca = `-ca ${folder}/pki/kubernetes-ca/ca.crt -ca-key ${folder}/pki/kubernetes-ca/ca.key`;
  const config = `-config ${folder}/ca-config.json -profile node`;
  const script = files
    .slice(0, sample)
    .map((file, index) => `cfssl sign ${ca} ${config} ${file} | cfssljson -bare out/node${index}`);
  const argv = ['pki', 'sign', ...files, '--profile', 'server', '--valid', '1y', '--yes', '-o', 'out'];
  return contest('kbin pki sign of 1,000 requests', 'cfssl sign | cfssljson', {
    folder,
    script: ['set -e', `PATH=${bin}:$PATH`, ...script].join('\n'),
    argv,
  });
}

/** Keys too: three certificates for each control-plane host. */
function making(folder: string, bin: string): BenchResult {
  mkdirSync(folder, { recursive: true });
  const hosts = Math.ceil(count / 3);
  writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(hosts));
  writeConfig(folder);
  const request = { CN: 'node', key: { algo: 'ecdsa', size: 256 }, hosts: ['node.example', '10.0.0.1'] };
  writeFileSync(join(folder, 'node.json'), JSON.stringify(request));
  writeFileSync(
    join(folder, 'ca.json'),
    JSON.stringify({ CN: 'ca', key: { algo: 'ecdsa', size: 256 }, ca: { expiry: '87600h' } }),
  );
  execFileSync('bash', ['-c', 'cfssl gencert -initca ca.json | cfssljson -bare ca'], {
    cwd: folder,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    stdio: 'ignore',
  });
  const script = Array.from(
    { length: sample },
    (_, index) =>
      `cfssl gencert -ca ${folder}/ca.pem -ca-key ${folder}/ca-key.pem -config ${folder}/ca-config.json -profile node ${folder}/node.json | cfssljson -bare out/node${index}`,
  );
  return contest(`kbin pki init of ${hosts} control-plane hosts`, 'cfssl gencert | cfssljson', {
    folder,
    script: ['set -e', `PATH=${bin}:$PATH`, ...script].join('\n'),
    argv: ['pki', 'init'],
    afresh: ['pki'],
  });
}

interface Contest {
  readonly folder: string;
  /** Of cfssl, for `sample` certificates. */
  readonly script: string;
  /** Of kbin, for all. */
  readonly argv: readonly string[];
  /** What kbin must not find. */
  readonly afresh?: readonly string[];
}

/** In turn, each in cold processes; the first round does not count. */
function contest(name: string, other: string, { folder, script, argv, afresh = [] }: Contest): BenchResult {
  const file = join(folder, 'make.sh');
  writeFileSync(file, `${script}\n`);
  const times = { own: [] as number[], theirs: [] as number[] };
  for (let round = 0; round <= 5; round++) {
    const runs = {
      own: () => timed(join(root, 'dist/kbin'), argv, folder),
      theirs: () => timed('bash', [file], folder) * (count / sample),
    };
    for (const tool of ['own', 'theirs'] as const) {
      const former = ['out', ...(tool === 'own' ? afresh : [])];
      for (const path of former) rmSync(join(folder, path), { recursive: true, force: true });
      mkdirSync(join(folder, 'out'));
      const took = runs[tool]();
      if (!made(folder)) throw new Error(`${tool} made nothing`);
      if (round > 0) times[tool].push(took);
    }
  }
  const [own, theirs] = [median(times.own), median(times.theirs)];
  const ratio = theirs / own;
  const each = `${other} for each: ${theirs.toFixed(0)} ms for ${count} (${sample} were run)`;
  const line = `${name}: ${own.toFixed(0)} ms; ${each}; ${ratio.toFixed(1)} times as fast (limit ${atLeast})`;
  return { line, withinLimit: ratio >= atLeast };
}

function made(folder: string): boolean {
  return (
    readdirSync(join(folder, 'out')).length >= sample || existsSync(join(folder, 'pki/kubernetes-ca/ca.crt'))
  );
}

function writeConfig(folder: string): void {
  const profile = { usages: ['digital signature', 'key encipherment', 'server auth'], expiry: '8760h' };
  writeFileSync(
    join(folder, 'ca-config.json'),
    JSON.stringify({ signing: { default: { expiry: '8760h' }, profiles: { node: profile } } }),
  );
}

function timed(command: string, argv: readonly string[], cwd: string): number {
  const start = performance.now();
  execFileSync(command, argv, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  return performance.now() - start;
}

function clusterYaml(controlPlanes: number): string {
  const hosts = Array.from(
    { length: controlPlanes },
    (_, index) =>
      `  - { name: m${index}, address: 10.1.${index >> 8}.${index & 255}, roles: [control-plane${index === 0 ? ', etcd' : ''}] }`,
  );
  return [
    'name: bench',
    'hosts:',
    ...hosts,
    'etcd: { version: 3.6.5 }',
    'kubernetes: { version: 1.34.1 }',
    'endpoint: { address: 10.2.0.1, port: 16443 }',
    '',
  ].join('\n');
}
