import { KbinError } from '../errors.ts';
import type { HeldCommand, Host } from '../remote/host.ts';
import script from './lock.sh?raw';

/** Who works on the hosts, for a second operator who is told to wait. */
export interface Operator {
  readonly user: string;
  readonly machine: string;
  readonly pid: number;
  readonly command: string;
}

/** Takes the host's lock or says who has it. It ends with `release`, or with the connection. */
export async function lock(host: Host, operator: Operator): Promise<HeldCommand> {
  const { user, machine, pid, command } = operator;
  const held = await host.hold(script, [`${user}@${machine} (${command}, process ${pid} there)`]);
  if (held.greeting === 'locked') return held;
  await held.release();
  throw refusal(host.name, held.greeting, (await held.ended).stderr);
}

function refusal(host: string, greeting: string, stderr: string): KbinError {
  const at = { host, step: 'lock' };
  if (greeting.startsWith('held by ')) {
    return new KbinError('Another run of kbin is at work', {
      ...at,
      why: `the lock is ${greeting}`,
      next: 'Wait until it is done. If it hangs, end that process: the lock goes with it.',
    });
  }
  if (greeting === 'busy') {
    return new KbinError('A script of an earlier run is still at work', {
      ...at,
      why: 'that run was cut off, and what it had begun on the host is not over after 60 s',
      next: 'Look for it on the host with `ps -ef --forest`, and run kbin again when it has ended.',
    });
  }
  return new KbinError('The lock could not be taken', {
    ...at,
    why: 'the program flock (util-linux) or a writable /run/lock is missing',
    next: 'Install util-linux on the host.',
    output: stderr.trim() || greeting,
  });
}
