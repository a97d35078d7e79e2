import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** TCP ports that a process of this machine listens on, in order, as the kernel tells (proc_pid_net(5)). */
export function listeningPorts(pid: number): number[] {
  const own = new Set(sockets(pid));
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1),
  );
  const ports = rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === '0A' && own.has(inode) ? [Number.parseInt(local.slice(local.indexOf(':') + 1), 16)] : [];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

function sockets(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed since
    }
  });
}
