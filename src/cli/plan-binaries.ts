import { type BinaryComponent, releases } from '../binaries/releases.ts';
import { resolveBinaries } from '../binaries/resolve.ts';
import type { Architecture, Cluster } from '../cluster/cluster.ts';
import { type Binaries, componentsOf } from '../desired/desire.ts';
import type { PlanFinding } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import { gapFinding } from './plan-gaps.ts';

export interface PlanBinaries {
  /** Of every release that the architecture's hosts take programs from, in one map. */
  readonly found: ReadonlyMap<Architecture, Binaries>;
  readonly findings: readonly PlanFinding[];
}

/**
 * The programs that the hosts should have. Units and files are the same with and without them, so a plan is worth showing
 * also where there are none. It is incomplete then: nobody knows which programs are on the hosts.
 */
export async function planBinaries(
  cluster: Cluster,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<PlanBinaries> {
  const results = await Promise.all(
    needed(cluster).map(async ({ component, architecture }) => {
      const { source } = cluster[component];
      const version = cluster[component].version ?? '';
      const request = { component, version, architecture, source, ...(env === undefined ? {} : { env }) };
      try {
        return { component, architecture, binaries: await resolveBinaries(request) };
      } catch (error) {
        if (!(error instanceof KbinError)) throw error;
        return { component, architecture, error };
      }
    }),
  );
  const found = new Map<Architecture, Binaries>();
  for (const { architecture, binaries = [] } of results) {
    found.set(architecture, new Map([...(found.get(architecture) ?? []), ...binaries]));
  }
  return { found, findings: lacking(results) };
}

interface Wanted {
  readonly component: BinaryComponent;
  readonly architecture: Architecture;
}

/** Each release once for each architecture that some host needs it for. */
function needed(cluster: Cluster): readonly Wanted[] {
  const wanted = cluster.hosts.flatMap((host) =>
    componentsOf(cluster, host).map(
      ({ name }): Wanted => ({ component: releaseOf(name), architecture: host.architecture }),
    ),
  );
  return [...new Map(wanted.map((one) => [`${one.component} ${one.architecture}`, one])).values()];
}

function releaseOf(component: string): BinaryComponent {
  return releases.kubernetes.required.includes(component) ? 'kubernetes' : 'etcd';
}

/** One finding for each release, whatever the number of architectures that it is lacking for. */
function lacking(
  results: readonly { readonly component: BinaryComponent; readonly error?: KbinError }[],
): readonly PlanFinding[] {
  const byRelease = Map.groupBy(
    results.filter(({ error }) => error !== undefined),
    ({ component }) => component,
  );
  return [...byRelease].flatMap(([component, [first]]) => {
    if (first?.error === undefined) return [];
    const whole = byRelease.size === new Set(results.map((result) => result.component)).size;
    const what = `the programs${whole ? '' : ` of ${component}`} on the hosts were not compared`;
    return [gapFinding('binaries-unknown', { what, incomplete: true }, first.error)];
  });
}
