import type { Cluster } from '../cluster/cluster.ts';
import type { PlanFinding } from './changes.ts';
import type { HostSides } from './preflight.ts';

/** TLS and raft both need clocks that agree; certificates are dated by the operator's. */
export function clockSkew({ ssh: { maxClockSkew } }: Cluster, hosts: readonly HostSides[]): PlanFinding[] {
  const clocks = hosts
    .map(({ host, observed }) => ({ name: host.name, offset: observed.facts.clockOffset }))
    .sort((a, b) => a.offset - b.offset);
  const finding = (message: string): PlanFinding => ({
    severity: 'stop',
    code: 'clock-skew',
    message,
    next: 'set the clocks (chrony, systemd-timesyncd), or allow more with `ssh: {maxClockSkew: SECONDS}`',
  });
  const wrong = clocks.filter(({ offset }) => Math.abs(offset) > maxClockSkew);
  const [first, last] = [clocks[0], clocks.at(-1)];
  if (wrong.length > 0 && wrong.length === clocks.length && agree(clocks, maxClockSkew)) {
    return [
      finding(
        `the clock of this machine is ${ahead(-(wrong[0]?.offset ?? 0))} the hosts' (limit ${maxClockSkew} s)`,
      ),
    ];
  }
  if (wrong.length > 0) {
    return wrong.map(({ name, offset }) => ({
      ...finding(`its clock is ${ahead(offset)} this machine's (limit ${maxClockSkew} s)`),
      host: name,
    }));
  }
  if (first === undefined || last === undefined || agree(clocks, maxClockSkew)) return [];
  return [
    finding(
      `the clock of ${last.name} is ${ahead(last.offset - first.offset)} that of ${first.name} (limit ${maxClockSkew} s)`,
    ),
  ];
}

function agree(clocks: readonly { readonly offset: number }[], limit: number): boolean {
  return (clocks.at(-1)?.offset ?? 0) - (clocks[0]?.offset ?? 0) <= limit;
}

function ahead(seconds: number): string {
  return `${Math.abs(seconds).toFixed(1)} s ${seconds > 0 ? 'ahead of' : 'behind'}`;
}
