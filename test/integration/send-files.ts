import type { LabHost } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { sshOptions } from '../lab/ssh.ts';
import { succeed } from './execute.ts';

/** Files of a folder of this machine into one of a host, as people copy them around: by tar and ssh. */
export async function sendFiles(
  lab: Lab,
  host: LabHost,
  folder: string,
  names: readonly string[],
  to: string,
): Promise<void> {
  await host.run('mkdir', '-p', to);
  const ssh = ['ssh', ...sshOptions(lab), `root@${host.address}`, `tar -C ${to} --unlink-first -xf -`];
  const quoted = ssh.map((word) => `'${word}'`).join(' ');
  await succeed('sh', ['-euc', `tar -C '${folder}' -cf - ${names.join(' ')} | ${quoted}`]);
}
