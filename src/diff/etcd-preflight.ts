import type { Cluster } from '../cluster/cluster.ts';
import { compareMinors, compareVersions, parseVersion, type Version, versionOf } from '../cluster/version.ts';
import { checkEtcdEnvironment } from '../desired/components/etcd-environment.ts';
import type { PlanFinding } from './changes.ts';
import type { EtcdReading, MembershipDecision } from './etcd-membership.ts';
import type { HostSides } from './preflight.ts';

/** What should be known of etcd before anything is done to it; pure, all findings at once. */
export function etcdPreflight(
  cluster: Cluster,
  hosts: readonly HostSides[],
  readings: readonly EtcdReading[],
  membership: Pick<MembershipDecision, 'members'>,
): PlanFinding[] {
  return [
    ...environment(cluster),
    ...versionSteps(cluster, readings),
    ...unaskedVersion(readings, membership),
    ...roomForData(cluster, hosts, membership),
  ];
}

function environment(cluster: Cluster): PlanFinding[] {
  return checkEtcdEnvironment(cluster.etcd).unknown.map(({ variable, why }) => ({
    severity: 'warning',
    code: 'unknown-setting',
    message: `etcd.environment sets ${variable}, which does nothing: ${why}`,
    next: 'take it out of cluster.yaml, or correct its name',
  }));
}

/** The last releases from which etcd's own guides allow the step to the next minor (etcd-io/website, upgrade_3_6.md, upgrade_3_7.md). */
const leastBefore: Readonly<Record<string, string>> = { '3.6': '3.5.26', '3.7': '3.6.11' };

function versionSteps({ etcd }: Cluster, readings: readonly EtcdReading[]): PlanFinding[] {
  const wanted = versionOf(etcd.version);
  return readings.flatMap(({ target, status }) => {
    const running = status === undefined ? undefined : parseVersion(status.version);
    const step = running === undefined ? undefined : versionStep(running, wanted);
    return step === undefined ? [] : [{ host: target.name, ...step }];
  });
}

function versionStep(running: Version, wanted: Version): Omit<PlanFinding, 'host'> | undefined {
  const [from, to] = [text(running), text(wanted)];
  const minors = compareMinors(wanted, running);
  if (minors < 0 || wanted.major !== running.major) {
    return {
      severity: 'stop',
      code: 'downgrade',
      message: `etcd ${from} runs; ${to} is older and may not read its data`,
      next: `set \`etcd: {version: ${from}}\`; a way back is a snapshot taken before the upgrade`,
    };
  }
  if (minors > 1) {
    return {
      severity: 'stop',
      code: 'skipped-minor',
      message: `etcd ${from} runs; it goes to ${to} one minor release at a time`,
      next: `deploy ${running.major}.${running.minor + 1} first`,
    };
  }
  const least = leastBefore[`${wanted.major}.${wanted.minor}`];
  if (minors === 1 && least !== undefined && compareVersions(running, versionOf(least)) < 0) {
    return {
      severity: 'stop',
      code: 'upgrade-too-early',
      message: `etcd ${from} runs; ${wanted.major}.${wanted.minor} is only reached safely from ${least} or later`,
      next: `deploy ${least} or a later ${running.major}.${running.minor} release first`,
    };
  }
  if (minors === 0 && compareVersions(wanted, running) < 0) {
    return {
      severity: 'warning',
      code: 'older-patch',
      message: `etcd ${from} runs; ${to} is an older release of the same minor`,
      next: 'etcd can do that; make sure that it is meant',
    };
  }
  return undefined;
}

/** Members with data and nobody to ask: what they ran before is not known. */
function unaskedVersion(
  readings: readonly EtcdReading[],
  { members }: Pick<MembershipDecision, 'members'>,
): PlanFinding[] {
  if (readings.some(({ status }) => status !== undefined)) return [];
  if (!members.some(({ action }) => action === 'repair')) return [];
  return [
    {
      severity: 'warning',
      code: 'version-unknown',
      message: 'no member answers, so kbin cannot tell from which release of etcd the data is',
      next: 'if `etcd.version` was changed since the cluster last ran, change it back until it runs again',
    },
  ];
}

function roomForData(
  { etcd, paths }: Cluster,
  hosts: readonly HostSides[],
  { members }: Pick<MembershipDecision, 'members'>,
): PlanFinding[] {
  const beginning = members.filter(({ action }) => action === 'bootstrap' || action === 'join');
  return hosts.flatMap(({ host, observed }): PlanFinding[] => {
    const free = observed.facts.freeBytes.get(paths.etcd.data);
    if (free === undefined || free >= etcd.quotaBackendBytes || !beginning.some((m) => m.host === host.name))
      return [];
    return [
      {
        severity: 'warning',
        host: host.name,
        code: 'small-disk',
        message: `${paths.etcd.data} has ${gibibytes(free)} free, etcd may use ${gibibytes(etcd.quotaBackendBytes)}`,
        next: 'use a larger disk, or set `etcd.quotaBackendBytes` below what is free',
      },
    ];
  });
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

function text({ major, minor, patch, preRelease }: Version): string {
  return `${major}.${minor}.${patch}${preRelease && `-${preRelease}`}`;
}
