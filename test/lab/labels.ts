import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** The lab's id. On every container and network of a lab. */
export const LAB = 'kbin.lab';
/** Who will stop the lab: `machine/pid/start time of that process`, or KEEP. */
export const OWNER = 'kbin.lab.owner';
/** The host's name within its lab. On containers only. */
export const HOST = 'kbin.lab.host';

/** Owner of a lab that outlives the process which started it (`make demo`). */
export const KEEP = 'keep';

export const ownerLabel = (pid = process.pid) => `${hostname()}/${pid}/${startTime(pid) ?? ''}`;

/** True only when this machine can tell that the owner has ended; another machine's labs are never ours to judge. */
export function ownerIsGone(label: string): boolean {
  const [machine, pid, started] = label.split('/');
  if (machine !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // The number may have been given to a later process.
  return started !== '' && startTime(Number(pid)) !== started;
}

/** Clock ticks since boot (proc(5), stat, field 22); undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
