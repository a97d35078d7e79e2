import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { DesiredComponent, DesiredHost } from '../desired/desired.ts';
import type { Observed, ObservedListener } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import { contentDiffers } from './paths.ts';

/** One host that answered, with what it should be. */
export interface HostSides {
  readonly host: ClusterHost;
  readonly desired: DesiredHost;
  readonly observed: Observed;
}

/**
 * What keeps kbin from working on hosts, or should be known before it does, whatever the component. Pure; all findings
 * at once.
 */
export function preflight(cluster: Cluster, hosts: readonly HostSides[]): PlanFinding[] {
  return [
    ...hosts.flatMap((sides) => hostRules.flatMap((rule) => rule(sides))),
    ...clockSkew(cluster, hosts),
  ];
}

type HostRule = (sides: HostSides) => PlanFinding[];

const hostRules: readonly HostRule[] = [architecture, init, obstacles, units, ports, space];

const machines: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', arm64: 'arm64' };

function architecture({ host, observed: { facts } }: HostSides): PlanFinding[] {
  const found = machines[facts.machine] ?? facts.machine;
  if (found === host.architecture) return [];
  return [
    {
      severity: 'stop',
      host: host.name,
      code: 'wrong-architecture',
      message: `the host is ${found} (${facts.machine}), cluster.yaml says ${host.architecture}`,
      next:
        found in { amd64: 1, arm64: 1 }
          ? `set \`architecture: ${found}\` for it`
          : 'kbin knows amd64 and arm64',
    },
  ];
}

function init({ host, observed: { facts } }: HostSides): PlanFinding[] {
  if (facts.init === 'systemd') return [];
  return [
    {
      severity: 'stop',
      host: host.name,
      code: 'no-systemd',
      message: `process 1 of the host is ${facts.init}, not systemd`,
      next: 'kbin runs everything as systemd units: use a host that has it',
    },
  ];
}

/** A directory where a file should be, or the other way round: kbin replaces neither. */
function obstacles({ host, desired, observed }: HostSides): PlanFinding[] {
  const wrong = desired.components.flatMap((component) => [
    ...component.files
      .filter(({ path }) => observed.paths.get(path)?.type === 'directory')
      .map(({ path }) => path),
    ...component.directories
      .filter(({ path }) => ['file', 'other'].includes(observed.paths.get(path)?.type ?? ''))
      .map(({ path }) => path),
  ]);
  return wrong.map((path) => ({
    severity: 'stop',
    host: host.name,
    code: 'path-in-the-way',
    message: `${path} is ${observed.paths.get(path)?.type === 'directory' ? 'a directory' : 'a file'}, and kbin needs the opposite there`,
    next: 'move it away, or choose another place with `paths:`',
  }));
}

function units({ host, desired, observed }: HostSides): PlanFinding[] {
  return desired.components.flatMap(({ unit: { name } }): PlanFinding[] => {
    const unit = observed.units.get(name);
    const masked = unit?.enabled.startsWith('masked') === true || unit?.loadState === 'masked';
    return [
      ...(masked
        ? [
            {
              severity: 'stop' as const,
              host: host.name,
              code: 'unit-masked',
              message: `${name} is masked: systemd will not start it`,
              next: `run \`systemctl unmask ${name}\` there if that is not meant`,
            },
          ]
        : []),
      ...(unit !== undefined && unit.dropIns.length > 0
        ? [
            {
              severity: 'warning' as const,
              host: host.name,
              code: 'drop-in',
              message: `${name} is changed by ${unit.dropIns.join(', ')}`,
              next: 'kbin leaves it there and cannot say what it does; `systemctl cat` shows it',
            },
          ]
        : []),
    ];
  });
}

function ports({ host, desired, observed }: HostSides): PlanFinding[] {
  return desired.components.flatMap((component) => {
    const taken = observed.listeners.filter(
      (listener) =>
        component.ports?.includes(listener.port) === true &&
        overlaps(listener, host.address) &&
        !isOwn(listener, component, observed),
    );
    const byPort = Map.groupBy(taken, ({ port }) => port);
    return [...byPort].map(([port, [listener]]): PlanFinding => {
      const who =
        listener?.process === undefined ? 'another program' : `${listener.process} (pid ${listener.pid})`;
      return {
        severity: 'stop',
        host: host.name,
        code: 'port-taken',
        message: `port ${port}, which ${component.name} needs, is taken by ${who}`,
        next: `stop it (\`ss -ltnp 'sport = :${port}'\` shows it), or give ${component.name} another port in cluster.yaml`,
      };
    });
  });
}

/** Whether the listener is in the way of one on the host's address or on loopback. */
function overlaps({ address }: ObservedListener, own: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  return ['0.0.0.0', '::', '*', '127.0.0.1', '::1', own].includes(bare);
}

function isOwn({ pid }: ObservedListener, component: DesiredComponent, observed: Observed): boolean {
  const unit = observed.units.get(component.unit.name);
  if (unit === undefined || unit.mainPid === 0) return false;
  return pid === undefined || pid === unit.mainPid;
}

const spare = 64 * 1024 * 1024;

/** Binaries are written beside the ones that run, so there must be room for both. */
function space({ host, desired, observed }: HostSides): PlanFinding[] {
  const needed = new Map<string, number>();
  for (const { path, content } of desired.components
    .flatMap((component) => component.files)
    .filter((file) => contentDiffers(file, observed.paths.get(file.path)))) {
    if (content.kind !== 'binary') continue;
    const folder = path.slice(0, path.lastIndexOf('/')) || '/';
    needed.set(folder, (needed.get(folder) ?? 0) + content.size);
  }
  return [...needed].flatMap(([folder, bytes]): PlanFinding[] => {
    const free = observed.facts.freeBytes.get(folder);
    if (free === undefined || free >= bytes + spare) return [];
    return [
      {
        severity: 'stop',
        host: host.name,
        code: 'disk-full',
        message: `${folder} has ${mebibytes(free)} free, and ${mebibytes(bytes)} of binaries go there`,
        next: 'make room on that file system',
      },
    ];
  });
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}

/** TLS and raft both need clocks that agree; certificates are dated by the operator's. */
function clockSkew({ ssh: { maxClockSkew } }: Cluster, hosts: readonly HostSides[]): PlanFinding[] {
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
