/**
 * `node bench/main.ts deploy`: dist/kbin as a user starts it, in cold processes, on three systemd hosts, by turns with what
 * the same would cost without kbin:
 * - from nothing to proven health, against sending the very same bytes with OpenSSH to all hosts at once plus a bare
 *   parallel `systemctl start` until quorum; limit 1.3 times;
 * - a rerun that changes nothing, against one parallel `ssh HOST sha256sum` of the same files plus kbin's own start;
 *   limit 1.5 times;
 * - peak resident memory of the first; limit 200 MB.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wipe } from '../test/integration/wipe.ts';
import { type Lab, startHosts } from '../test/lab/lab.ts';
import { fromScript, kbinProgram, onAllHosts, putBack, runKbin, takeAway, timed } from './hosts.ts';
import { compareRerun } from './rerun.ts';
import { type BenchResult, median } from './result.ts';

const rounds = 5;
const version = '3.5.16';
const command = ['etcd', 'deploy'];

export async function benchDeploy(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-deploy-'));
  const lab = await startHosts();
  try {
    writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(lab));
    execFileSync(kbinProgram, ['pki', 'init'], { cwd: folder, stdio: 'ignore' });
    const first = await compareFirst(lab, folder);
    await fromNothing(lab, folder);
    await runKbin(folder, ...command);
    return [...first, await compareRerun({ lab, folder, command, files, rounds: rounds * 2 })];
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fromNothing(lab: Lab, folder: string): Promise<void> {
  await wipe(lab);
  rmSync(join(folder, 'pki/etcd-cluster-id'), { force: true });
}

async function compareFirst(lab: Lab, folder: string): Promise<BenchResult[]> {
  const times = { kbin: [] as number[], floor: [] as number[] };
  const peaks: number[] = [];
  // The first round fills the caches, and leaves on the hosts what the floor sends.
  for (let round = 0; round <= rounds; round++) {
    await fromNothing(lab, folder);
    const own = await runKbin(folder, ...command);
    if (round === 0) await Promise.all(lab.hosts.map((host) => takeAway(lab, host, folder, pack)));
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

/** What kbin puts on a host, as a shell on the host expands it. */
const files = [
  '/usr/local/bin/etcd*',
  '/etc/etcd/etcd.conf',
  '/etc/systemd/system/etcd.service',
  '/etc/etcd/pki/*',
];

/** Writes to stdout what kbin has put on a host. */
const pack = `systemctl stop etcd; rm -f /etc/etcd/kbin-member.json
tar -c --exclude=/var/lib/etcd/* /usr/local/bin/etcd* /etc/etcd /etc/systemd/system/etcd.service /var/lib/etcd 2>/dev/null`;

async function copyAndStart(lab: Lab, folder: string): Promise<number> {
  await Promise.all(lab.hosts.map((host) => host.sh('groupadd -r etcd; useradd -r -M -g etcd etcd')));
  return timed(async () => {
    await putBack(lab, folder);
    // Each member says that it is ready once there is a quorum: that is when its start returns.
    await onAllHosts(lab, 'systemctl start etcd');
  });
}

function clusterYaml(lab: Lab): string {
  const source = fromScript('etcd').find((path) => path.includes(`etcd-v${version}-`));
  return `name: bench
hosts:
${lab.hosts.map(({ name, address }) => `  - { name: ${name}, address: ${address}, roles: [etcd] }`).join('\n')}
ssh:  { user: root, identityFile: ${lab.sshKey}, knownHosts: ${lab.knownHosts} }
etcd: { version: ${version}, source: ${source} }
`;
}
