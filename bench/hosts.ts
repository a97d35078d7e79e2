/** What benches of deploys have in common: dist/kbin as a user starts it, and OpenSSH beside it, on hosts of the lab. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { LabHost } from '../test/lab/host.ts';
import type { Lab } from '../test/lab/lab.ts';
import { sshOptions } from '../test/lab/ssh.ts';

const root = resolve(import.meta.dirname, '..');
export const kbinProgram = join(root, 'dist/kbin');

/** What a script of scripts/ makes ready, a path a line. */
export function fromScript(name: 'etcd' | 'kubernetes'): string[] {
  return execFileSync('bash', [join(root, `scripts/${name}.sh`)], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

export interface Run {
  readonly milliseconds: number;
  readonly peakBytes: number;
}

/** One cold process; throws what it said when it fails. */
export async function runKbin(folder: string, ...argv: string[]): Promise<Run> {
  const start = performance.now();
  const child = spawn(kbinProgram, argv, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
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
  if (code !== 0) throw new Error(`kbin ${argv.join(' ')} ended with ${code}\n${said}`);
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

/** kbin's own start and end. */
export function startKbin(): Promise<unknown> {
  return promisify(execFile)(kbinProgram, ['--version']);
}

/** Milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** One ssh for each host, all at once. */
export async function onAllHosts(lab: Lab, command: string): Promise<void> {
  const run = promisify(execFile);
  await Promise.all(
    lab.hosts.map((host) => run('ssh', [...sshOptions(lab), `root@${host.address}`, command])),
  );
}

/** Takes what a shell command on the host writes as a tar, to send exactly that. */
export async function takeAway(lab: Lab, host: LabHost, folder: string, command: string): Promise<void> {
  const argv = [...sshOptions(lab), `root@${host.address}`, command];
  const child = spawn('ssh', argv, { stdio: ['ignore', openSync(tarball(folder, host), 'w'), 'ignore'] });
  await once(child, 'close');
}

/** Sends to all hosts at once what was taken from each, and unpacks it at the root. */
export async function putBack(lab: Lab, folder: string): Promise<void> {
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
}

const tarball = (folder: string, host: LabHost) => join(folder, `${host.name}.tar`);
