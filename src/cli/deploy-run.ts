import { hostname, userInfo } from 'node:os';
import type { Deployment } from '../apply/deployment.ts';
import type { BinaryComponent } from '../binaries/releases.ts';
import { resolveBinaries } from '../binaries/resolve.ts';
import { openStore, type Store } from '../ca/store.ts';
import { type Cluster, hostsWithRole, type Role } from '../cluster/cluster.ts';
import { isEmpty, type Plan } from '../diff/changes.ts';
import { createConnect } from '../remote/connect.ts';
import type { CliContext } from './context.ts';
import { type DeployOptions, wholeNumber, withParallel } from './deploy-options.ts';
import type { Io } from './io.ts';
import { printTable } from './output.ts';
import { passphraseOf } from './passphrase.ts';
import { createProgress } from './progress.ts';

/** Which deploy it is. */
export interface DeployKind {
  /** `kbin etcd deploy`. */
  readonly command: string;
  readonly role: Role;
  /** What is brought, and which version of it. */
  readonly component: BinaryComponent;
  readonly version: (cluster: Cluster) => string;
}

/** What a deploy did, and what came of it. */
export type Deployed<Report> = { readonly healthy: boolean; readonly changed: boolean } & Report;

/** Everything that a deploy needs, from the command line, cluster.yaml and this machine. */
export async function deploymentOf(
  context: CliContext,
  options: DeployOptions,
  { command, role, component, version }: DeployKind,
): Promise<Deployment & { readonly store: Store }> {
  const { io } = context;
  const cluster = withParallel(await context.cluster(), options.parallel, command);
  const progress = createProgress(
    io,
    hostsWithRole(cluster, role).map(({ name }) => name),
  );
  const signal = context.interrupt();
  const stopping = () => progress.note('stopping once the step at hand is done; Ctrl-C again stops at once');
  signal.addEventListener('abort', stopping, { once: true });
  const { source } = cluster[component];
  return {
    cluster,
    store: await openStore(`${cluster.folder}/pki`, passphraseOf(context, options)),
    connect: createConnect(cluster, {
      acceptNewHostKeys: options.acceptNewHostKeys === true,
      env: io.env,
      warn: progress.note,
      ...(io.interactive ? { askSecret: (question: string) => io.ask(question, { secret: true }) } : {}),
    }),
    binaries: (architecture) =>
      resolveBinaries({ component, version: version(cluster), architecture, source, env: io.env }),
    operator: { user: userInfo().username, machine: hostname(), pid: process.pid, command },
    progress,
    allowDowntime: options.allowDowntime === true,
    skipHosts: options.skipHost ?? [],
    within: wholeNumber('--wait', options.wait, command),
    signal,
    now: Date.now,
  };
}

/** What was done, as a table; or that there was nothing to do. */
export function printDone(
  io: Io,
  { plan, skipped }: { readonly plan: Plan; readonly skipped: readonly string[] },
): void {
  if (isEmpty(plan)) {
    const names = [...new Set(plan.hosts.map(({ host }) => host))];
    io.out(`nothing to do: ${names.join(', ')} as cluster.yaml wants\n\n`);
  } else {
    printTable(
      io,
      ['host', 'done', 'target', 'why'],
      [
        ...plan.hosts.flatMap(({ host, changes }) => changes.map((change) => ({ host, ...change }))),
        ...plan.objects.map((change) => ({ host: 'Kubernetes', ...change })),
      ].map(({ host, action, target, reason }) => [host, action, target, reason]),
    );
    io.out('\n');
  }
  if (skipped.length > 0) io.out(`left out: ${skipped.join(', ')}\n\n`);
}
