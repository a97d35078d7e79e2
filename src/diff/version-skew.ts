import { type Cluster, type ControlPlaneComponent, controlPlaneComponents } from '../cluster/cluster.ts';
import { compareMinors, compareVersions, parseVersion, type Version, versionOf } from '../cluster/version.ts';
import type { Observed } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import type { ApiserverReading } from './control-plane-view.ts';
import type { HostSides } from './preflight.ts';
import { isRunning } from './unit.ts';

interface Found {
  readonly host: string;
  readonly version: Version;
  readonly runs: boolean;
}

/**
 * Steps between versions that Kubernetes does not support (https://kubernetes.io/releases/version-skew-policy/): apiservers
 * go one minor at a time and never back, are at most one minor apart, and are never older than their controller-manager
 * or scheduler.
 */
export function versionSkew(
  cluster: Cluster,
  hosts: readonly HostSides[],
  apiservers: readonly ApiserverReading[],
): PlanFinding[] {
  if (cluster.kubernetes.version === undefined) return [];
  const wanted = versionOf(cluster.kubernetes.version);
  const found = apiserverVersions(hosts, apiservers);
  // One that stands still comes up among the others in their version: what was upgraded is the data, and they did that.
  const counting = found.some(({ runs }) => runs) ? found.filter(({ runs }) => runs) : found;
  const apart = farApart(counting);
  return [
    ...(apart === undefined ? counting.flatMap((one) => versionStep(one, wanted)) : [apart]),
    ...ahead(hosts, counting),
  ];
}

/** What an apiserver says of itself; of one that is not asked, or does not answer, what its unit says. */
function apiserverVersions(
  hosts: readonly HostSides[],
  apiservers: readonly ApiserverReading[],
): readonly Found[] {
  const names = new Set([...hosts.map(({ host }) => host.name), ...apiservers.map(({ host }) => host)]);
  return [...names].flatMap((host): Found[] => {
    const told = parseVersion(apiservers.find((reading) => reading.host === host)?.version ?? '');
    if (told !== undefined) return [{ host, version: told, runs: true }];
    const side = hosts.find((one) => one.host.name === host);
    return side === undefined ? [] : inUnit(side, 'kube-apiserver');
  });
}

function inUnit({ host, observed, desired }: HostSides, component: ControlPlaneComponent): Found[] {
  const unit = desired.components.find(({ name }) => name === component)?.unit.name;
  const path = desired.components
    .find(({ name }) => name === component)
    ?.files.find((file) => unit !== undefined && file.path.endsWith(`/${unit}`))?.path;
  const version = path === undefined ? undefined : describedVersion(observed, path);
  if (unit === undefined || version === undefined) return [];
  return [{ host: host.name, version, runs: isRunning(observed.units.get(unit)) }];
}

/** kbin's units say the release in their description. */
function describedVersion(observed: Observed, path: string): Version | undefined {
  const description = /^Description=(.*)$/m.exec(observed.paths.get(path)?.text ?? '')?.[1];
  return parseVersion(description?.trim().split(' ').at(-1) ?? '');
}

function farApart(found: readonly Found[]): PlanFinding | undefined {
  const sorted = [...found].sort((a, b) => compareVersions(a.version, b.version));
  const [oldest, newest] = [sorted[0], sorted.at(-1)];
  if (oldest === undefined || newest === undefined) return undefined;
  if (newest.version.major === oldest.version.major && newest.version.minor - oldest.version.minor <= 1) {
    return undefined;
  }
  return {
    severity: 'stop',
    code: 'version-skew',
    message: `the apiservers are more than one minor release apart: ${text(oldest.version)} runs on ${oldest.host}, ${text(newest.version)} on ${newest.host}`,
    next: `stop the older ones (\`systemctl stop kube-apiserver\` on ${older(found, newest)}): a deploy then brings them up as the others are`,
  };
}

function older(found: readonly Found[], newest: Found): string {
  return found
    .filter(({ version }) => newest.version.minor - version.minor > 1)
    .map(({ host }) => host)
    .join(', ');
}

function versionStep({ host, version, runs }: Found, wanted: Version): PlanFinding[] {
  const [from, to] = [text(version), text(wanted)];
  const has = runs ? `Kubernetes ${from} runs` : `Kubernetes ${from} was here last`;
  const minors = compareMinors(wanted, version);
  if (minors < 0 || wanted.major !== version.major) {
    return [
      {
        severity: 'stop',
        host,
        code: 'downgrade',
        message: `${has}; ${to} is older and may not read what it wrote into etcd`,
        next: `set \`kubernetes: {version: ${from}}\`; a way back is a snapshot of etcd taken before the upgrade`,
      },
    ];
  }
  if (minors > 1) {
    return [
      {
        severity: 'stop',
        host,
        code: 'skipped-minor',
        message: `${has}; it goes to ${to} one minor release at a time`,
        next: `deploy ${version.major}.${version.minor + 1} first`,
      },
    ];
  }
  if (minors === 0 && compareVersions(wanted, version) < 0) {
    return [
      {
        severity: 'warning',
        host,
        code: 'older-patch',
        message: `${has}; ${to} is an older release of the same minor`,
        next: 'Kubernetes can do that; make sure that it is meant',
      },
    ];
  }
  return [];
}

/** They expect of the API what it does not have yet. */
function ahead(hosts: readonly HostSides[], apiservers: readonly Found[]): PlanFinding[] {
  const [oldest] = [...apiservers].sort((a, b) => compareVersions(a.version, b.version));
  if (oldest === undefined) return [];
  return controlPlaneComponents
    .filter((component) => component !== 'kube-apiserver')
    .flatMap((component) =>
      hosts.flatMap((side) => inUnit(side, component).map((one) => ({ component, ...one }))),
    )
    .filter(({ version, runs }) => runs && compareMinors(version, oldest.version) > 0)
    .map(({ component, host, version }) => ({
      severity: 'warning',
      host,
      code: 'version-skew',
      message: `${component} ${text(version)} runs, and the apiserver of ${oldest.host} is ${text(oldest.version)}: it must not be older`,
      next: 'a deploy makes them the same: apiservers first, then the others',
    }));
}

function text({ major, minor, patch, preRelease }: Version): string {
  return `${major}.${minor}.${patch}${preRelease && `-${preRelease}`}`;
}
