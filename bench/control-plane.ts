/**
 * `node bench/main.ts control-plane`: dist/kbin as a user starts it, in cold processes, on three systemd hosts with a
 * healthy and empty etcd, by turns with what the same would cost without kbin:
 * - until all three apiservers are ready, against sending the very same bytes with OpenSSH to all hosts at once plus a bare
 *   parallel start of the apiservers; limit 1.3 times;
 * - a rerun that changes nothing, against one parallel `ssh HOST sha256sum` of the same files plus kbin's own start;
 *   limit 1.5 times.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../src/ca/store.ts';
import { type ApiClient, openApi } from '../src/health/api-client.ts';
import { apiCredentials } from '../src/health/api-target.ts';
import { wipeControlPlane } from '../test/integration/wipe.ts';
import { type Lab, startHosts } from '../test/lab/lab.ts';
import { fromScript, kbinProgram, onAllHosts, putBack, runKbin, takeAway, timed } from './hosts.ts';
import { compareRerun } from './rerun.ts';
import { type BenchResult, median } from './result.ts';

const rounds = 3;
const command = ['control-plane', 'deploy'];

export async function benchControlPlane(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-bench-control-plane-'));
  const lab = await startHosts();
  try {
    writeFileSync(join(folder, 'cluster.yaml'), clusterYaml(lab));
    execFileSync(kbinProgram, ['pki', 'init'], { cwd: folder, stdio: 'ignore' });
    await runKbin(folder, 'etcd', 'deploy');
    const first = await compareFirst(lab, folder);
    await wipeControlPlane(lab);
    await runKbin(folder, ...command);
    return [...first, await compareRerun({ lab, folder, command, files, rounds: rounds * 2 })];
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareFirst(lab: Lab, folder: string): Promise<BenchResult[]> {
  const times = { ready: [] as number[], whole: [] as number[], copy: [] as number[], start: [] as number[] };
  const peaks: number[] = [];
  // The first round fills the caches, and leaves on the hosts what the floor sends.
  for (let round = 0; round <= rounds; round++) {
    await wipeControlPlane(lab);
    const [ready, whole] = await Promise.all([
      timed(() => allReady(lab, folder)),
      runKbin(folder, ...command),
    ]);
    if (round === 0) await Promise.all(lab.hosts.map((host) => takeAway(lab, host, folder, pack)));
    await wipeControlPlane(lab);
    await onAllHosts(lab, accounts);
    const copy = await timed(() => putBack(lab, folder));
    const start = await timed(() =>
      Promise.all([onAllHosts(lab, 'systemctl start --no-block kube-apiserver'), allReady(lab, folder)]),
    );
    if (round === 0) continue;
    times.ready.push(ready);
    times.whole.push(whole.milliseconds);
    times.copy.push(copy);
    times.start.push(start);
    peaks.push(whole.peakBytes);
  }
  const [own, copy, start] = [median(times.ready), median(times.copy), median(times.start)];
  const [ratio, peak] = [own / (copy + start), Math.max(...peaks) / 1e6];
  return [
    {
      line: `kbin control-plane deploy, until three apiservers are ready: ${own.toFixed(0)} ms; the same bytes by OpenSSH: ${copy.toFixed(0)} ms, a bare start of the apiservers: ${start.toFixed(0)} ms; ${ratio.toFixed(2)} times both (limit 1.3); with controller-managers, schedulers and proven health: ${median(times.whole).toFixed(0)} ms`,
      withinLimit: ratio <= 1.3,
    },
    {
      line: `kbin control-plane deploy, peak resident memory: ${peak.toFixed(0)} MB (limit 200)`,
      withinLimit: peak < 200,
    },
  ];
}

/** Returns when every apiserver has said that it is ready, which none is yet. */
async function allReady(lab: Lab, folder: string): Promise<void> {
  const credentials = await apiCredentials(await openStore(join(folder, 'pki')));
  const deadline = Date.now() + 300_000;
  await Promise.all(
    lab.hosts.map(async ({ name, address }) => {
      const client = openApi({ name, address, port: 6443 }, credentials);
      while (!(await isReady(client))) {
        if (Date.now() > deadline) throw new Error(`${name}: not ready within 5 minutes`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      client.close();
    }),
  );
}

function isReady(client: ApiClient): Promise<boolean> {
  return client.get('/readyz').then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** What kbin puts on a host, as a shell on the host expands it. */
const files = [
  '/usr/local/bin/kube*',
  '/etc/systemd/system/kube-*.service',
  '$(find -L /etc/kubernetes -type f -not -path "*/.*")',
];

/** Writes them to stdout, with the folders that are empty at first. */
const pack =
  'tar -c --exclude=/var/log/kubernetes/*.log /usr/local/bin/kube* /etc/kubernetes /etc/systemd/system/kube-*.service /var/log/kubernetes 2>/dev/null';

const accounts = `for account in kube-apiserver kube-controller-manager kube-scheduler; do
  groupadd -r "$account"; useradd -r -M -g "$account" "$account"
done`;

function clusterYaml(lab: Lab): string {
  const etcd = fromScript('etcd').find((path) => path.includes('etcd-v3.5.16-'));
  const [kubernetes] = fromScript('kubernetes');
  return `name: bench
hosts:
${lab.hosts.map(({ name, address }) => `  - { name: ${name}, address: ${address}, roles: [etcd, control-plane] }`).join('\n')}
ssh:        { user: root, identityFile: ${lab.sshKey}, knownHosts: ${lab.knownHosts} }
etcd:       { version: 3.5.16, source: ${etcd} }
kubernetes: { version: 1.20.2, source: ${kubernetes} }
`;
}
