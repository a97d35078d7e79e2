import type { ProbeLines } from './lines.ts';
import type { HostFacts } from './observed.ts';
import type { ProbeRequest } from './request.ts';

/** The operator's clock before and after the probe, in milliseconds since 1970. */
export interface Trip {
  readonly sent: number;
  readonly received: number;
}

export function factsFrom(lines: ProbeLines, request: ProbeRequest, trip: Trip): HostFacts {
  const release = osRelease(lines.all('os'));
  const systemd = /^systemd (\d+)/.exec(lines.all('systemd')[0] ?? '')?.[1];
  return {
    hostName: lines.one('hostname'),
    machine: lines.one('machine'),
    distribution: release.get('ID') ?? 'unknown',
    distributionVersion: release.get('VERSION_ID') ?? '',
    kernel: lines.one('kernel'),
    init: lines.one('init'),
    ...(systemd === undefined ? {} : { systemdVersion: lines.number(systemd) }),
    addresses: addresses(lines),
    clockOffset: clockOffset(lines, trip),
    selinux: selinux(lines.all('selinux')[0]),
    freeBytes: freeBytes(lines, request.folders),
  };
}

function osRelease(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1).replace(/^(["'])(.*)\1$/, '$2')];
    }),
  );
}

/** From `ip -o addr` (`2: eth0    inet 10.0.0.1/24 …`), else from `hostname -I`. Zones are left out. */
function addresses(lines: ProbeLines): string[] {
  const fromIp = lines.all('ip').flatMap((line) => /\sinet6? ([0-9a-f.:]+)/.exec(line)?.[1] ?? []);
  const fromHostname = lines.all('addresses').flatMap((line) => line.split(' ').filter(Boolean));
  return [...new Set([...fromIp, ...fromHostname])];
}

/**
 * The host reads its clock on arrival and before the answer, the operator before and after: the offset lies between the
 * two differences. What lies nearest to none is taken, so that neither a slow line nor a password that is typed on the way
 * counts as a wrong clock. A host whose `date` knows no fractions tells the second it is in.
 */
function clockOffset(lines: ProbeLines, { sent, received }: Trip): number {
  const [arrival, answer] = lines.all('clock').map((text) => {
    const [, whole, fraction] = /^(\d+)(?:\.(\d+)?)?/.exec(text) ?? [];
    const from = lines.number(whole) + Number(`0.${fraction ?? 0}`);
    return { from, to: fraction === undefined ? from + 1 : from };
  });
  if (arrival === undefined || answer === undefined) throw lines.malformed('the clock is missing');
  const [least, most] = [answer.from - received / 1000, arrival.to - sent / 1000];
  return Math.min(Math.max(0, least), Math.max(most, least));
}

function selinux(enforce: string | undefined): HostFacts['selinux'] {
  if (enforce === undefined) return 'disabled';
  return enforce === '1' ? 'enforcing' : 'permissive';
}

/** `df -P`: name, 1024-blocks, used, available, capacity %, mount point. */
function freeBytes(lines: ProbeLines, folders: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    lines.paired('space', folders).map(([folder, line]) => {
      const available = /\s(\d+)\s+(\d+|-)%\s/.exec(line)?.[1];
      return [folder, lines.number(available) * 1024];
    }),
  );
}
