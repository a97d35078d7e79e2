import type { Change } from '../diff/changes.ts';
import { unlessAborted } from './aborted.ts';
import { type ApiCanaries, sendApiCanaries } from './api-canary.ts';
import { kubeCauseOf } from './api-causes.ts';
import { openApi } from './api-client.ts';
import { type ApiReading, readApiserver } from './api-reading.ts';
import type { ApiTarget } from './api-target.ts';
import type { Cause } from './causes.ts';
import { type ComponentReading, readComponent } from './component-reading.ts';
import { defaultPorts, type ListeningComponent } from './component-target.ts';
import type { ControlPlaneHost, ControlPlaneSubject } from './control-plane-subject.ts';
import { type EtcdPath, tryEtcdPaths } from './etcd-path.ts';
import { type LeaseReading, machineOf, readLease } from './leases.ts';
import { compareObjects } from './objects.ts';
import { readStoredForm, readStoredSecrets, type StoredSecrets } from './stored-form.ts';
import { probeWire, type Served } from './wire.ts';

/** Everything that was seen of one control-plane host. */
export interface ControlPlaneHostEvidence {
  readonly host: ControlPlaneHost;
  readonly api: ApiReading;
  /** What the apiserver shows in the TLS handshake, or why it shows nothing. */
  readonly served?: Served;
  readonly unserved?: Cause;
  /** What a client without certificate and token may do with Secrets; undefined: not found out. */
  readonly anonymousReads?: boolean;
  readonly components: readonly ComponentReading[];
  /** To each etcd member; a text says why that was not tried. */
  readonly etcdPaths: readonly EtcdPath[] | string;
}

/** Everything that the checks judge; they look at nothing else. A text says why something was not looked at. */
export interface ControlPlaneEvidence {
  readonly subject: ControlPlaneSubject;
  readonly hosts: readonly ControlPlaneHostEvidence[];
  readonly leases: Readonly<Record<ListeningComponent, LeaseReading>> | string;
  /** Names that hosts give themselves, where it had to be asked: by host of cluster.yaml. */
  readonly hostNames: ReadonlyMap<string, string>;
  readonly canaries: ApiCanaries | string;
  readonly objects: readonly Change[] | Cause | string;
  /** How the Secrets that are there lie in etcd. */
  readonly stored: StoredSecrets | Cause | string;
  readonly now: Date;
}

export interface GatherOptions {
  /** Milliseconds for one call. */
  readonly deadlineMs: number;
  readonly now: Date;
  readonly signal?: AbortSignal;
  /** Nothing is written into Kubernetes: what only that can show is not looked at. */
  readonly readOnly?: boolean;
}

/** Looks at everything; at each host first, then through the apiservers that are ready. Rejects only when aborted. */
export async function gatherControlPlane(
  subject: ControlPlaneSubject,
  options: GatherOptions,
): Promise<ControlPlaneEvidence> {
  const looking = Promise.all(subject.hosts.map((host) => lookAt(host, subject, options.deadlineMs)));
  const hosts = await unlessAborted(looking, options.signal);
  const { now } = options;
  const ready = hosts.filter(({ api }) => api.ready === true && api.failure === undefined);
  const reason = subject.credentials.anonymous ?? (ready.length === 0 ? 'no apiserver is ready' : undefined);
  if (reason !== undefined) {
    return {
      subject,
      hosts,
      leases: reason,
      hostNames: new Map(),
      canaries: reason,
      objects: reason,
      stored: reason,
      now,
    };
  }
  return {
    subject,
    hosts,
    now,
    ...(await askInside(
      subject,
      ready.map(({ host }) => host.api),
      options,
    )),
  };
}

async function lookAt(
  host: ControlPlaneHost,
  { etcd, credentials }: ControlPlaneSubject,
  deadlineMs: number,
): Promise<ControlPlaneHostEvidence> {
  const { api, components, through } = host;
  const [reading, shown, anonymousReads, componentReadings, etcdPaths] = await Promise.all([
    readApiserver(api, credentials.api, deadlineMs),
    handshake(api, credentials.api.ca, deadlineMs),
    readsSecretsAnonymously(api, credentials.api.ca, deadlineMs),
    Promise.all(components.map((component) => readComponent(component, credentials.api, deadlineMs))),
    typeof credentials.etcdClient === 'string'
      ? credentials.etcdClient
      : tryEtcdPaths(through, etcd, credentials.etcdClient, deadlineMs),
  ]);
  return {
    host,
    api: reading,
    ...shown,
    ...(anonymousReads === undefined ? {} : { anonymousReads }),
    components: componentReadings,
    etcdPaths,
  };
}

async function handshake(
  { address, port, dial }: ApiTarget,
  ca: string,
  deadlineMs: number,
): Promise<{ served: Served } | { unserved: Cause }> {
  const options = { deadlineMs, ...(dial === undefined ? {} : { dial }) };
  return probeWire({ scheme: 'https', host: address, port }, { ca }, options).then(
    (served) => ({ served }),
    (error: unknown) => ({ unserved: kubeCauseOf(error, 'kube-apiserver', deadlineMs) }),
  );
}

async function readsSecretsAnonymously(
  api: ApiTarget,
  ca: string,
  deadlineMs: number,
): Promise<boolean | undefined> {
  const client = openApi(api, { ca }, deadlineMs);
  try {
    const { status } = await client.get('/api/v1/namespaces/kube-system/secrets?limit=1');
    return status === 200 ? true : status === 401 || status === 403 ? false : undefined;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

type Inside = Pick<ControlPlaneEvidence, 'leases' | 'hostNames' | 'canaries' | 'objects' | 'stored'>;

async function askInside(
  subject: ControlPlaneSubject,
  ready: readonly ApiTarget[],
  { deadlineMs, signal, readOnly }: GatherOptions,
): Promise<Inside> {
  const { credentials, etcd, etcdPrefix, objects } = subject;
  const clients = ready.map((target) => openApi(target, credentials.api, deadlineMs));
  const [first] = clients;
  if (first === undefined) throw new Error('nobody is ready');
  const { etcd: etcdAccess } = credentials;
  try {
    const [leases, canaries, differing, stored] = await Promise.all([
      Promise.all(
        (Object.keys(defaultPorts) as ListeningComponent[]).map(
          async (component) => [component, await readLease(first, component)] as const,
        ),
      ),
      readOnly === true
        ? 'nothing was to be written; `kbin verify` does, and takes it away again'
        : sendApiCanaries(
            clients,
            async (namespace, secret) =>
              typeof etcdAccess === 'string'
                ? { kind: 'unknown', failure: { code: 'unknown', message: etcdAccess, next: withKeys } }
                : readStoredForm(etcd, etcdAccess, { prefix: etcdPrefix, namespace, secret }, deadlineMs),
            signal,
          ),
      compareObjects(first, objects).catch((error: unknown) => kubeCauseOf(error, 'kube-apiserver')),
      typeof etcdAccess === 'string'
        ? etcdAccess
        : readStoredSecrets(etcd, etcdAccess, etcdPrefix, deadlineMs),
    ]);
    const byComponent = Object.fromEntries(leases) as Record<ListeningComponent, LeaseReading>;
    const hostNames = await namesFor(subject, Object.values(byComponent), deadlineMs);
    return { leases: byComponent, hostNames, canaries, objects: differing, stored };
  } finally {
    for (const client of clients) client.close();
  }
}

const withKeys = 'work on the machine that has the pki folder with its keys';

/** Mostly hosts are called as in cluster.yaml; only where a leader is not among those, they are asked. */
async function namesFor(
  { hosts }: ControlPlaneSubject,
  leases: readonly LeaseReading[],
  deadlineMs: number,
): Promise<ReadonlyMap<string, string>> {
  const known = ({ holder }: LeaseReading) =>
    holder === undefined || hosts.some(({ name }) => sameMachine(name, machineOf(holder)));
  if (leases.every(known)) return new Map();
  const asked = await Promise.all(
    hosts.map(async ({ name, hostName }) => {
      const late = new Promise<string>((resolve) => setTimeout(resolve, deadlineMs, '').unref());
      return [name, await Promise.race([hostName().catch(() => ''), late])] as const;
    }),
  );
  return new Map(asked.filter(([, hostName]) => hostName !== ''));
}

/** Also where one of them is with its domain. */
export function sameMachine(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()];
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}
