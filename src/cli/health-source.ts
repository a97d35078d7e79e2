import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Store } from '../ca/store.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { hostsWithRole } from '../cluster/cluster.ts';
import { loadExternal } from '../cluster/external.ts';
import { findClusterFile } from '../cluster/find.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { HealthOptions } from '../health/etcd.ts';
import { etcdCredentials, etcdTargetsEitherWay } from '../health/of-cluster.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { Connect } from '../remote/host.ts';
import { type ForeignEtcd, foreignCredentials, foreignTargets } from '../verify/foreign.ts';
import type { CliContext } from './context.ts';
import { printWarning } from './output.ts';

/** Flags that say which etcd to look at, and how. */
export interface HealthFlags {
  readonly endpoints?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly expectMembers?: string;
  readonly timeout: string;
  readonly acceptNewHostKeys?: boolean;
}

export function addHealthFlags(command: Command): Command {
  return addLookFlags(command)
    .option(
      '--endpoints <urls>',
      'an etcd that kbin did not deploy: the client URL of each member, with commas',
    )
    .option('--cacert <file>', 'CA that signed the server certificates of --endpoints')
    .option('--cert <file>', 'client certificate for --endpoints')
    .option('--key <file>', 'key that belongs to --cert')
    .option('--expect-members <number>', 'how many members there have to be');
}

/** How to look, whatever at. */
export function addLookFlags(command: Command): Command {
  return command
    .option('--timeout <seconds>', 'how long one answer may take', '5')
    .option('--accept-new-host-keys', 'add the SSH keys of hosts that known_hosts does not know yet');
}

/** Which etcd, and what to talk to it with. */
export interface HealthSource {
  /** For headings: `etcd of cluster prod`. */
  readonly subject: string;
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  readonly options: HealthOptions;
  /** Present when cluster.yaml describes the etcd as kbin's own. */
  readonly own?: Omit<OwnCluster, 'close'>;
  close(): Promise<void>;
}

/** How to get to hosts over SSH, where that is needed. */
type SshChoices = Pick<HealthFlags, 'acceptNewHostKeys'>;

/** From --endpoints, else from the `external:` section of cluster.yaml, else the hosts of cluster.yaml with role etcd. */
export async function healthSource(context: CliContext, flags: HealthFlags): Promise<HealthSource> {
  const options = healthOptions(context, flags);
  if (flags.endpoints !== undefined) return foreign(fromFlags(context, flags), options);
  refuseLoneFlags(flags);
  const external = await loadExternal(findClusterFile(context.config, context.io));
  if (external !== undefined) return foreign(external, options);
  return own(context, options, flags);
}

async function foreign(etcd: ForeignEtcd, options: HealthOptions): Promise<HealthSource> {
  const targets = foreignTargets(etcd);
  return {
    subject: `etcd at ${targets.map(({ name }) => name).join(', ')}`,
    targets,
    credentials: await foreignCredentials(etcd),
    options,
    close: async () => {},
  };
}

async function own(context: CliContext, options: HealthOptions, ssh: SshChoices): Promise<HealthSource> {
  const cluster = await context.cluster();
  if (hostsWithRole(cluster, 'etcd').length === 0) {
    throw new KbinError(`cluster ${cluster.name} has no host with the role etcd`, {
      next: 'give some host the role, or name another etcd with --endpoints or the external: section',
      exit: exitCode.usage,
    });
  }
  const { store, connect, close } = await ownCluster(context, ssh);
  return {
    subject: `etcd of cluster ${cluster.name}`,
    // Straight where that works, as plan and deploy do.
    targets: etcdTargetsEitherWay(cluster, connect),
    credentials: await etcdCredentials(store),
    options,
    own: { cluster, store, connect },
    close,
  };
}

/** The cluster of cluster.yaml, with its store and connections to its hosts, which are opened when they are needed. */
export async function ownCluster(context: CliContext, ssh: SshChoices): Promise<OwnCluster> {
  const [cluster, { openStore }, { createConnect }, { shareConnections }] = await Promise.all([
    context.cluster(),
    import('../ca/store.ts'),
    import('../remote/connect.ts'),
    import('../remote/share.ts'),
  ]);
  const { io } = context;
  const { connect, close } = shareConnections(
    createConnect(cluster, {
      acceptNewHostKeys: ssh.acceptNewHostKeys === true,
      env: io.env,
      warn: (text) => printWarning(io, text),
      ...(io.interactive ? { askSecret: (question: string) => io.ask(question, { secret: true }) } : {}),
    }),
  );
  return { cluster, store: await openStore(`${cluster.folder}/pki`), connect, close };
}

export interface OwnCluster {
  readonly cluster: Cluster;
  readonly store: Store;
  /** One connection per host however often it is asked for. */
  readonly connect: Connect;
  close(): Promise<void>;
}

function fromFlags({ io }: CliContext, { endpoints, cacert, cert, key }: HealthFlags): ForeignEtcd {
  const path = (file: string) => resolve(io.cwd, file);
  return {
    endpoints: (endpoints ?? '')
      .split(',')
      .map((url) => url.trim())
      .filter((url) => url !== ''),
    ...(cacert === undefined ? {} : { ca: path(cacert) }),
    ...(cert === undefined ? {} : { cert: path(cert) }),
    ...(key === undefined ? {} : { key: path(key) }),
  };
}

/** kbin's own clusters have their certificates in pki/; a lone --cacert would be ignored in silence. */
function refuseLoneFlags({ cacert, cert, key }: HealthFlags): void {
  const lone = Object.entries({ cacert, cert, key }).find(([, value]) => value !== undefined)?.[0];
  if (lone === undefined) return;
  throw new KbinError(`--${lone} goes with --endpoints`, {
    why: 'for the etcd of cluster.yaml kbin uses the certificates in pki/, or those of the external: section',
    next: 'give --endpoints too, or leave it out',
    exit: exitCode.usage,
  });
}

function healthOptions(context: CliContext, flags: HealthFlags): HealthOptions {
  const { expectMembers } = flags;
  const members = expectMembers === undefined ? undefined : Number(expectMembers);
  if (members !== undefined && !(Number.isInteger(members) && members > 0)) {
    throw new KbinError(`--expect-members ${expectMembers}: not a whole number above 0`, {
      exit: exitCode.usage,
    });
  }
  return {
    ...lookOptions(context, flags),
    ...(members === undefined ? {} : { expectMembers: members }),
  };
}

/** What addLookFlags' flags come to. */
export function lookOptions(
  context: CliContext,
  { timeout }: Pick<HealthFlags, 'timeout'>,
): { readonly deadlineMs: number; readonly signal: AbortSignal } {
  const seconds = Number(timeout);
  if (!(seconds > 0 && seconds <= 600)) {
    throw new KbinError(`--timeout ${timeout}: not a number of seconds between 0 and 600`, {
      exit: exitCode.usage,
    });
  }
  return { deadlineMs: Math.round(seconds * 1000), signal: context.interrupt() };
}
