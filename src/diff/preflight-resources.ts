import type { DesiredComponent } from '../desired/desired.ts';
import type { Observed, ObservedListener } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import { contentDiffers } from './paths.ts';
import type { HostSides } from './preflight.ts';

export function ports({ host, desired, observed }: HostSides): PlanFinding[] {
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
export function space({ host, desired, observed }: HostSides): PlanFinding[] {
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
