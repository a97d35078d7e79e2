import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { DesiredHost } from '../desired/desired.ts';
import type { Observed } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import { clockSkew } from './preflight-clocks.ts';
import { ports, space } from './preflight-resources.ts';

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
