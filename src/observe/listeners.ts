import type { ProbeLines } from './lines.ts';
import type { ObservedListener } from './observed.ts';

/** What listens on the asked-for TCP ports: from `ss -ltnp`, or from /proc/net/tcp where ss is missing. */
export function listenersFrom(lines: ProbeLines, ports: readonly number[]): ObservedListener[] {
  const all = [...lines.all('ss').map((line) => fromSs(lines, line)), ...lines.all('tcp').map(fromProc)];
  return all.filter((listener) => ports.includes(listener.port));
}

/** `LISTEN 0 4096 [::1]:2379 [::]:* users:(("etcd",pid=12,fd=7))` */
function fromSs(lines: ProbeLines, line: string): ObservedListener {
  const local = line.trim().split(/\s+/)[3] ?? '';
  const [, address, port] = /^(.*):(\d+)$/.exec(local) ?? [];
  if (address === undefined) throw lines.malformed('ss is unreadable');
  const [, process, pid] = /users:\(\("((?:[^"\\]|\\.)*)",pid=(\d+)/.exec(line) ?? [];
  return {
    port: Number(port),
    address: address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, ''),
    ...(process === undefined ? {} : { process, pid: Number(pid) }),
  };
}

/** `0100007F:094B`: the address in words of the machine's (little-endian) order, the port in hex. */
function fromProc(local: string): ObservedListener {
  const [address = '', port = ''] = local.split(':');
  const words = address.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const groups = Array.from({ length: 8 }, (_, index) => {
    return (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16);
  });
  return {
    port: Number.parseInt(port, 16),
    address: bytes.length === 4 ? bytes.join('.') : groups.join(':'),
  };
}
