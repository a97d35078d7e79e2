/**
 * `node bench/main.ts deploy`: dist/kbin as a user starts it, in cold processes, on three systemd hosts, by turns with what
 * the same would cost without kbin:
 * - from nothing to proven health, against sending the very same bytes with OpenSSH to all hosts at once plus a bare
 *   parallel `systemctl start` until quorum; limit 1.3 times;
 * - a rerun that changes nothing, against one parallel `ssh HOST sha256sum` of the same files plus kbin's own start;
 *   limit 1.5 times;
 * - peak resident memory of the first; limit 200 MB.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { wipe } from '../test/integration/wipe.ts';
import type { LabHost } from '../test/lab/host.ts';
import { type Lab, startHosts } from '../test/lab/lab.ts';
import { sshOptions } from '../test/lab/ssh.ts';
import { type BenchResult, median } from './result.ts';

const root = resolve(import.meta.dirname, '..');
const kbin = join(root, 'dist/kbin');
const rounds = 5;
const version = '3.5.16';

export async function benchDeploy(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-deploy-'));
  const lab = await startHosts();
  try {
    writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(lab));
    execFileSync(kbin, ['pki', 'init'], { cwd: folder, stdio: 'ignore' });
    const first = await compareFirst(lab, folder);
    return [...first, await compareRerun(lab, folder)];
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareFirst(lab: Lab, folder: string): Promise<BenchResult[]> {
  const times = { kbin: [] as number[], floor: [] as number[] };
  const peaks: number[] = [];
  // The first round fills the caches, and leaves on the hosts what the floor sends.
  for (let round = 0; round <= rounds; round++) {
    await wipe(lab);
    rmSync(join(folder, 'pki/etcd-cluster-id'), { force: true });
    const own = await deploy(folder);
    if (round === 0) await Promise.all(lab.hosts.map((host) => takeAway(lab, host, folder)));
    await wipe(lab);
    const floor = await copyAndStart(lab, folder);
    if (round === 0) continue;
    times.kbin.push(own.milliseconds);
    peaks.push(own.peakBytes);
    times.floor.push(floor);
  }
  const [own, floor, peak] = [median(times.kbin), median(times.floor), Math.max(...peaks) / 1e6];
  const ratio = own / floor;
  return [
    {
      line: `kbin etcd deploy, three hosts, from nothing to proven health: ${own.toFixed(0)} ms; the same bytes by OpenSSH and a bare start: ${floor.toFixed(0)} ms; ${ratio.toFixed(2)} times (limit 1.3)`,
      withinLimit: ratio <= 1.3,
    },
    {
      line: `kbin etcd deploy, peak resident memory: ${peak.toFixed(0)} MB (limit 200)`,
      withinLimit: peak < 200,
    },
  ];
}

async function compareRerun(lab: Lab, folder: string): Promise<BenchResult> {
  await wipe(lab);
  rmSync(join(folder, 'pki/etcd-cluster-id'), { force: true });
  await deploy(folder);
  const times = { kbin: [] as number[], digests: [] as number[], start: [] as number[] };
  for (let round = 0; round <= rounds * 2; round++) {
    const own = await deploy(folder);
    const digests = await timed(() => onAllHosts(lab, `sha256sum ${files.join(' ')}`));
    const start = await timed(() => promisify(execFile)(kbin, ['--version']));
    if (round === 0) continue;
    times.kbin.push(own.milliseconds);
    times.digests.push(digests);
    times.start.push(start);
  }
  const [own, digests, start] = [median(times.kbin), median(times.digests), median(times.start)];
  const ratio = own / (digests + start);
  return {
    line: `kbin etcd deploy again, nothing to do: ${own.toFixed(0)} ms; ssh sha256sum of the same files: ${digests.toFixed(0)} ms, kbin's start: ${start.toFixed(0)} ms; ${ratio.toFixed(2)} times both (limit 1.5)`,
    withinLimit: ratio <= 1.5,
  };
}

/** What kbin puts on a host, as a shell on the host expands it. */
const files = [
  '/usr/local/bin/etcd*',
  '/etc/etcd/etcd.conf',
  '/etc/systemd/system/etcd.service',
  '/etc/etcd/pki/*',
];

/** Takes what kbin has put on a host, to send exactly that. */
async function takeAway(lab: Lab, host: LabHost, folder: string): Promise<void> {
  const paths = '/usr/local/bin/etcd* /etc/etcd /etc/systemd/system/etcd.service /var/lib/etcd';
  const argv = [...sshOptions(lab), `root@${host.address}`];
  const tar = `systemctl stop etcd; rm -f /etc/etcd/kbin-member.json; tar -c --exclude=/var/lib/etcd/* ${paths} 2>/dev/null`;
  const child = spawn('ssh', [...argv, tar], {
    stdio: ['ignore', openSync(tarball(folder, host), 'w'), 'ignore'],
  });
  await once(child, 'close');
}

const tarball = (folder: string, host: LabHost) => join(folder, `${host.name}.tar`);

async function copyAndStart(lab: Lab, folder: string): Promise<number> {
  await Promise.all(lab.hosts.map((host) => host.sh('groupadd -r etcd; useradd -r -M -g etcd etcd')));
  return timed(async () => {
    await Promise.all(
      lab.hosts.map(async (host) => {
        const argv = [...sshOptions(lab), `root@${host.address}`, 'tar -x -C / && systemctl daemon-reload'];
        const child = spawn('ssh', argv, {
          stdio: [openSync(tarball(folder, host), 'r'), 'ignore', 'inherit'],
        });
        const [code] = await once(child, 'close');
        if (code !== 0) throw new Error(`tar on ${host.name}: ${code}`);
      }),
    );
    // Each member says that it is ready once there is a quorum: that is when its start returns.
    await onAllHosts(lab, 'systemctl start etcd');
  });
}

async function onAllHosts(lab: Lab, command: string): Promise<void> {
  const run = promisify(execFile);
  await Promise.all(
    lab.hosts.map((host) => run('ssh', [...sshOptions(lab), `root@${host.address}`, command])),
  );
}

interface Run {
  readonly milliseconds: number;
  readonly peakBytes: number;
}

async function deploy(folder: string): Promise<Run> {
  const start = performance.now();
  const child = spawn(kbin, ['etcd', 'deploy'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentPeak(child.pid));
  }, 10);
  const [code] = await once(child, 'close');
  clearInterval(watch);
  if (code !== 0) throw new Error(`kbin etcd deploy ended with ${code}\n${said}`);
  return { milliseconds: performance.now() - start, peakBytes };
}

/** VmHWM of proc(5): the most that the process ever had; 0 when it is gone. The launcher becomes Node, under one id. */
function residentPeak(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function clusterYaml(lab: Lab): string {
  const tarballs = execFileSync('bash', [join(root, 'scripts/etcd.sh')], { encoding: 'utf8' }).split('\n');
  const source = tarballs.find((path) => path.includes(`etcd-v${version}-`));
  return `name: bench
hosts:
${lab.hosts.map(({ name, address }) => `  - { name: ${name}, address: ${address}, roles: [etcd] }`).join('\n')}
ssh:  { user: root, identityFile: ${lab.sshKey}, knownHosts: ${lab.knownHosts} }
etcd: { version: ${version}, source: ${source} }
`;
}
