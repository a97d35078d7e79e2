import type { Progress } from '../cli/io.ts';
import type { Architecture, Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Binaries } from '../desired/desire.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { Connect } from '../remote/host.ts';
import type { Operator } from './lock.ts';
import type { Work } from './work.ts';

/** What every deploy is told, whatever it brings. */
export interface Deployment {
  readonly cluster: Cluster;
  /** src/ca's Store, as far as it is needed here. */
  readonly store: { view(): StoreView; readSecret(ref: string): Promise<Uint8Array> };
  readonly connect: Connect;
  /** Name → binary of the version in cluster.yaml, for an architecture. */
  readonly binaries: (architecture: Architecture) => Promise<Binaries>;
  readonly operator: Operator;
  readonly progress: Progress;
  readonly allowDowntime: boolean;
  /** Names of hosts to leave out. */
  readonly skipHosts: readonly string[];
  /** Seconds that a component may take to become healthy. */
  readonly within: number;
  readonly signal?: AbortSignal;
  /** The operator's clock, milliseconds since 1970. */
  readonly now: () => number;
}

export function workOf({ store, progress, allowDowntime, within, cluster, signal }: Deployment): Work {
  return {
    readSecret: (ref) => store.readSecret(ref),
    progress,
    allowDowntime,
    within,
    parallel: cluster.ssh.parallel,
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The programs for every architecture that is among the hosts. */
export async function binariesFor(
  binaries: Deployment['binaries'],
  hosts: readonly ClusterHost[],
): Promise<ReadonlyMap<Architecture, Binaries>> {
  const architectures = [...new Set(hosts.map(({ architecture }) => architecture))];
  return new Map(
    await Promise.all(
      architectures.map(async (architecture) => [architecture, await binaries(architecture)] as const),
    ),
  );
}

/** Work that may fail before anybody awaits it, or in a run that ends before: until then that is nobody's crash. */
export function awaitedLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}
