import { execFile } from 'node:child_process';
import type { ExecResult, LabHost } from './host.ts';
import type { User } from './keys.ts';
import type { Lab } from './lab.ts';

/** OpenSSH's own options to reach the lab's hosts, host keys checked: for tests and benches that compare with it. */
export const sshOptions = (lab: Lab): string[] => [
  '-F',
  'none',
  '-o',
  'BatchMode=yes',
  '-o',
  'StrictHostKeyChecking=yes',
  '-o',
  `UserKnownHostsFile=${lab.knownHosts}`,
  '-o',
  'ConnectTimeout=5',
  '-i',
  lab.sshKey,
];

/** Runs a shell command line on a host through the ssh program; a failing command is a result. 255 is ssh's own failure. */
export function ssh(lab: Lab, host: LabHost, command: string, user: User = 'root'): Promise<ExecResult> {
  const argv = [...sshOptions(lab), `${user}@${host.address}`, command];
  return new Promise((resolve) => {
    execFile('ssh', argv, { timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 255) : 0;
      resolve({ code, stdout, stderr: stderr || (code === 255 ? String(error) : '') });
    });
  });
}
