import type { Check, ComponentStatus, ControlPlaneStatus, MemberStatus } from '../health/check.ts';
import type { Io } from './io.ts';
import { type Cell, paint, printTable } from './output.ts';

/** One line per member: what it says of itself. */
export function printMembers(io: Io, members: readonly MemberStatus[]): void {
  printTable(
    io,
    [
      'member',
      'endpoint',
      'role',
      'version',
      'term',
      'index',
      'db size',
      'quota',
      'alarms',
      'latency',
      'cert days',
    ],
    members.map(memberRow),
  );
}

function memberRow(member: MemberStatus): Cell[] {
  return [
    member.host ?? member.name,
    member.endpoint,
    member.reachable ? member.role : 'down',
    member.version,
    member.raftTerm,
    member.raftIndex,
    bytes(member.dbSize),
    bytes(member.quota),
    member.reachable ? member.alarms?.join(' ') || 'none' : undefined,
    member.latencyMs === undefined ? undefined : `${member.latencyMs} ms`,
    member.certificateDays,
  ];
}

/** One line per control-plane host: how its three programs are. */
export function printControlPlane(io: Io, hosts: readonly ControlPlaneStatus[]): void {
  printTable(
    io,
    ['host', 'endpoint', 'apiserver', 'controller-manager', 'scheduler', 'version', 'latency', 'cert days'],
    hosts.map(controlPlaneRow),
  );
}

function controlPlaneRow(status: ControlPlaneStatus): Cell[] {
  const { host, endpoint, apiserver, controllerManager, scheduler } = status;
  const all = [apiserver, controllerManager, scheduler];
  const versions = new Set(all.map(({ version }) => version).filter((version) => version !== undefined));
  const days = all.map(({ certificateDays }) => certificateDays).filter((left) => left !== undefined);
  return [
    host,
    endpoint,
    state(apiserver, 'ready'),
    state(controllerManager, 'healthy'),
    state(scheduler, 'healthy'),
    [...versions].join(', ') || undefined,
    apiserver.latencyMs === undefined ? undefined : `${apiserver.latencyMs} ms`,
    days.length === 0 ? undefined : Math.min(...days),
  ];
}

function state({ reachable, healthy, leader }: ComponentStatus, well: string): string {
  if (!reachable) return 'down';
  return `${healthy ? well : `not ${well}`}${leader === true ? ', leads' : ''}`;
}

function bytes(size: number | undefined): string | undefined {
  if (size === undefined) return undefined;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = size === 0 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), units.length - 1);
  const value = size / 1024 ** power;
  return `${Number.isInteger(value) || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

const colour = { pass: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;

/** One line per check; what is wrong is said again by printProblems, with what to do. */
export function printChecks(io: Io, checks: readonly Check[]): void {
  printTable(
    io,
    ['result', 'check', 'target', 'what was seen'],
    checks.map(({ status, id, target, message }) => [status, id, target ?? 'cluster', message]),
  );
}

/** What failed and what is doubtful, each with what to do; nothing when all is well. */
export function printProblems(io: Io, checks: readonly Check[]): void {
  const order = { fail: 0, warn: 1, skip: 2, pass: 3 };
  const problems = checks
    .filter(({ status }) => status === 'fail' || status === 'warn')
    .sort((a, b) => order[a.status] - order[b.status]);
  for (const { status, id, target, message, next } of problems) {
    io.out(
      `${paint(io, colour[status], status)}  ${id}${target === undefined ? '' : ` ${target}`}: ${message}\n`,
    );
    if (next !== undefined) io.out(`      next: ${next}\n`);
  }
}

/** `healthy: 31 checks passed, 1 warning` */
export function printVerdict(io: Io, checks: readonly Check[], subject: string): void {
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length;
  const failed = count('fail');
  const words = [
    failed > 0 ? `${failed} failed` : undefined,
    counted(count('warn'), 'warning'),
    `${count('pass')} passed`,
    count('skip') > 0 ? `${count('skip')} not looked at` : undefined,
  ].filter((text) => text !== undefined);
  const verdict = failed > 0 ? paint(io, 'red', 'not healthy') : paint(io, 'green', 'healthy');
  io.out(`${subject} is ${verdict}: ${words.join(', ')}\n`);
}

function counted(count: number, noun: string): string | undefined {
  return count === 0 ? undefined : `${count} ${noun}${count === 1 ? '' : 's'}`;
}
