import { checkStore } from '../../ca/check-store.ts';
import type { Store } from '../../ca/store.ts';
import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { componentsOf, desire } from '../../desired/desire.ts';
import { KbinError } from '../../errors.ts';
import { type CertificateListener, certificateListeners } from '../../health/certificate-listeners.ts';
import { etcdCredentials } from '../../health/of-cluster.ts';
import { type ServedChain, servedChain } from '../../health/served-chain.ts';
import { hostPort } from '../../health/target.ts';
import { readCertificateFiles } from '../../observe/certificate-files.ts';
import type { Connect } from '../../remote/host.ts';
import { inParallel } from '../../remote/parallel.ts';
import { reasonOf } from '../plan-gaps.ts';
import { judgeDisk, requestOf } from './check-disk.ts';
import { expectedFiles } from './check-expected.ts';
import { type Known, knownOf } from './check-known.ts';
import type { Gap, PkiCheckParts } from './check-report.ts';
import { judgeServed } from './check-served.ts';

export interface ClusterCheck {
  readonly cluster: Cluster;
  readonly store: Store;
  readonly now: Date;
  readonly withinHours: number;
  /** undefined: the store alone. */
  readonly hosts?: { readonly connect: Connect; readonly deadlineMs: number };
}

/** pki/, then what lies on each host's disk beside it, then what is shown beside that. */
export async function checkCluster(inputs: ClusterCheck): Promise<PkiCheckParts> {
  const { cluster, store, hosts } = inputs;
  const plan = certificatePlan(cluster);
  const stored = await checkStore(plan, store.folder, inputs);
  const { certificates, others, notes } = stored;
  if (hosts === undefined) return { certificates, others, gaps: [], notes };
  const known = knownOf(plan, stored, inputs);
  const [disks, shown] = await Promise.all([
    allDisks(cluster, store, hosts.connect, known),
    allServed(cluster, store, hosts),
  ]);
  const seen = [...certificates, ...disks.certificates];
  const served = shown.flatMap(({ listener, answer }) =>
    answer.state === 'served' ? [judgeServed(listener, answer.chain, { certificates: seen, known })] : [],
  );
  return {
    certificates: [...seen, ...served],
    others: [...others, ...disks.others],
    gaps: [...disks.gaps, ...shown.flatMap(servedGap)],
    notes: [...notes, ...disks.notes, ...shown.flatMap((one) => closedNote(one, disks.absent))],
  };
}

interface Disks extends PkiCheckParts {
  /** `HOST COMPONENT` of what was never brought there. */
  readonly absent: ReadonlySet<string>;
}

async function allDisks(cluster: Cluster, store: Store, connect: Connect, known: Known): Promise<Disks> {
  const hosts = cluster.hosts.filter((host) => componentsOf(cluster, host).length > 0);
  const settled = await inParallel(hosts, cluster.ssh.parallel, (host) =>
    diskOf(cluster, host, { store, connect, known }),
  );
  const read = settled.flatMap((one) => ('value' in one ? [one.value] : []));
  const absent = read.flatMap((one) => one.absent);
  return {
    certificates: read.flatMap(({ certificates }) => certificates),
    others: read.flatMap(({ others }) => others),
    gaps: settled.flatMap((one): Gap[] => ('error' in one ? [diskGap(one.item, one.error)] : [])),
    notes: absent.map((what) => {
      const [host, component] = what.split(' ');
      return `${component} was not brought to ${host} yet: nothing of kbin's lies there`;
    }),
    absent: new Set(absent),
  };
}

async function diskOf(
  cluster: Cluster,
  host: ClusterHost,
  { store, connect, known }: { readonly store: Store; readonly connect: Connect; readonly known: Known },
) {
  const view = store.view();
  const components = componentsOf(cluster, host).flatMap(({ name }) => {
    try {
      const { components: own } = desire(cluster, host, { store: view, only: [name] });
      return own.map((component) => ({ name, expected: expectedFiles(component) }));
    } catch (error) {
      // What pki/ lacks is said of pki/; there is nothing to compare the host with.
      if (error instanceof KbinError) return [];
      throw error;
    }
  });
  const request = requestOf(components.flatMap(({ expected }) => expected));
  const opened = await connect(host.name);
  const found = await readCertificateFiles(opened, request);
  const judged = components.map(({ name, expected }) => ({
    name,
    ...judgeDisk(host.name, expected, found, { known, deploy: deployOf(name) }),
  }));
  return {
    certificates: judged.flatMap(({ certificates }) => certificates),
    others: judged.flatMap(({ others }) => others),
    absent: judged.filter(({ nothing }) => nothing).map(({ name }) => `${host.name} ${name}`),
  };
}

const deployOf = (component: string): string =>
  component === 'etcd' ? 'kbin etcd deploy' : 'kbin control-plane deploy';

function diskGap({ name }: ClusterHost, error: unknown): Gap {
  if (!(error instanceof KbinError)) throw error;
  const next = error.details.next ?? 'see whether the host is up';
  return { host: name, what: 'the files on its disk', why: reasonOf(error), next };
}

interface Shown {
  readonly listener: CertificateListener;
  readonly answer: ServedChain;
}

async function allServed(
  cluster: Cluster,
  store: Store,
  { connect, deadlineMs }: { readonly connect: Connect; readonly deadlineMs: number },
): Promise<readonly Shown[]> {
  // Without its key the listeners are looked at all the same.
  const client = await etcdCredentials(store).catch((error: unknown) => {
    if (error instanceof KbinError) return undefined;
    throw error;
  });
  return Promise.all(
    certificateListeners(cluster, connect).map(async (listener) => {
      const { address, dial, component } = listener;
      const answer = await servedChain(address, {
        deadlineMs,
        ...(dial === undefined ? {} : { dial }),
        ...(component !== 'etcd' || client?.cert === undefined || client.key === undefined
          ? {}
          : { client: { cert: client.cert, key: client.key } }),
      });
      return { listener, answer };
    }),
  );
}

function servedGap({ listener, answer }: Shown): Gap[] {
  if (answer.state !== 'unseen') return [];
  const { host, component, address } = listener;
  return [
    {
      host,
      what: `what ${component} shows at ${hostPort(address)}`,
      why: answer.why.message,
      next: answer.why.next,
    },
  ];
}

function closedNote({ listener, answer }: Shown, absent: ReadonlySet<string>): string[] {
  const { host, component, address } = listener;
  if (answer.state !== 'closed' || absent.has(`${host} ${component}`)) return [];
  return [`nothing listens at ${hostPort(address)} on ${host}: ${component} shows no certificate there`];
}
