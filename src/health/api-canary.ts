import { randomBytes } from 'node:crypto';
import { unlessAborted } from './aborted.ts';
import { ApiError, kubeCauseOf } from './api-causes.ts';
import type { ApiClient } from './api-client.ts';
import type { Cause } from './causes.ts';

/** Everything that verification writes into Kubernetes has a name that begins so, in this namespace. */
export const apiCanaryPrefix = 'kbin-verify-';
export const apiCanaryNamespace = 'kube-system';
const label = { 'app.kubernetes.io/managed-by': 'kbin-verify' } as const;
/** Milliseconds after which one that is still there was left behind by a run that was killed. */
const leftAfterMs = 10 * 60_000;

/** What one apiserver made of what another (or itself) wrote or signed. */
export interface Echo {
  /** Host of the apiserver that was asked. */
  readonly by: string;
  /** Why not; undefined: it saw, or accepted, it. */
  readonly failure?: Cause;
}

/** What became of what was written and signed through one apiserver. */
export interface ApiCanary {
  readonly through: string;
  /** Name of the Secret; undefined when it could not be written. */
  readonly secret?: string;
  readonly writeFailure?: Cause;
  /** Of the Secret, by every apiserver that was asked. */
  readonly reads: readonly Echo[];
  readonly signFailure?: Cause;
  /** Of the token. */
  readonly reviews: readonly Echo[];
  /** How the Secret lies in etcd. */
  readonly stored?: StoredForm;
}

export type StoredForm =
  /** `k8s:enc:secretbox:v1:key1:`, as far as it is no secret. */
  | { readonly kind: 'encrypted'; readonly prefix: string }
  | { readonly kind: 'plain' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly failure: Cause };

export interface ApiCanaries {
  readonly canaries: readonly ApiCanary[];
  /** Names of objects that could not be deleted, with the reason. */
  readonly leftBehind: readonly { readonly name: string; readonly failure: Cause }[];
}

/** Tells how a key lies in etcd; must not reject. */
export type ReadStored = (namespace: string, secret: string) => Promise<StoredForm>;

/**
 * Writes a Secret and has a token signed through each of these apiservers, asks every other for both, looks at the Secret
 * in etcd, and deletes all of it. Rejects only when `signal` is aborted, and even then everything is deleted first.
 * The value is random and worth nothing; the token is for a service account without any rights that is gone afterwards.
 */
export async function sendApiCanaries(
  clients: readonly ApiClient[],
  readStored: ReadStored,
  signal?: AbortSignal,
): Promise<ApiCanaries> {
  const account = `${apiCanaryPrefix}${randomBytes(6).toString('hex')}`;
  const made: Made[] = [];
  const canaries: ApiCanary[] = [];
  let leftBehind: ApiCanaries['leftBehind'] = [];
  try {
    const accountFailure = await makeAccount(clients, account, made);
    const work = Promise.all(
      clients.map((client) => roundTrip(client, clients, { account, accountFailure, made, readStored })),
    );
    canaries.push(...(await unlessAborted(work, signal)));
  } finally {
    leftBehind = await cleanUp(clients, made);
  }
  return { canaries, leftBehind };
}

const accounts = `/api/v1/namespaces/${apiCanaryNamespace}/serviceaccounts`;
const secrets = `/api/v1/namespaces/${apiCanaryNamespace}/secrets`;

/** An object of this run, there as soon as `making` has settled; also when that failed, an answer may have been lost. */
interface Made {
  readonly path: string;
  readonly making: Promise<unknown>;
}

/** Through the first that can. undefined: it is there. */
async function makeAccount(
  clients: readonly ApiClient[],
  name: string,
  made: Made[],
): Promise<Cause | undefined> {
  let failure: Cause | undefined;
  for (const client of clients) {
    const making = causeIn(() =>
      client.send({ method: 'POST', path: accounts, body: { metadata: { name, labels: label } } }),
    );
    made.push({ path: `${accounts}/${name}`, making });
    failure = await making;
    if (failure === undefined) return undefined;
  }
  return failure;
}

interface Shared {
  readonly account: string;
  readonly accountFailure: Cause | undefined;
  readonly made: Made[];
  readonly readStored: ReadStored;
}

async function roundTrip(
  writer: ApiClient,
  clients: readonly ApiClient[],
  shared: Shared,
): Promise<ApiCanary> {
  const [written, signed] = await Promise.all([
    writeAndRead(writer, clients, shared),
    signAndReview(writer, clients, shared),
  ]);
  return { through: writer.target.name, ...written, ...signed };
}

async function writeAndRead(
  writer: ApiClient,
  clients: readonly ApiClient[],
  { made, readStored }: Shared,
): Promise<Pick<ApiCanary, 'secret' | 'writeFailure' | 'reads' | 'stored'>> {
  const name = `${apiCanaryPrefix}${randomBytes(6).toString('hex')}`;
  const value = randomBytes(16).toString('base64');
  const path = `${secrets}/${name}`;
  const making = causeIn(() =>
    writer.send({
      method: 'POST',
      path: secrets,
      body: { metadata: { name, labels: label }, type: 'Opaque', data: { canary: value } },
    }),
  );
  made.push({ path, making });
  const writeFailure = await making;
  if (writeFailure !== undefined) return { writeFailure, reads: [] };
  const [reads, stored] = await Promise.all([
    Promise.all(clients.map((reader) => echo(reader, () => expectValue(reader, path, value)))),
    readStored(apiCanaryNamespace, name),
  ]);
  return { secret: name, reads, stored };
}

async function expectValue(reader: ApiClient, path: string, value: string): Promise<Cause | undefined> {
  const { data } = await reader.getJson<{ data?: { canary?: string } }>(path);
  if (data?.canary === value) return undefined;
  return {
    code: 'stale',
    message: 'reads another value than was written',
    next: 'see whether all apiservers use the same etcd and the same --etcd-prefix',
  };
}

async function signAndReview(
  signer: ApiClient,
  clients: readonly ApiClient[],
  { account, accountFailure }: Shared,
): Promise<Pick<ApiCanary, 'signFailure' | 'reviews'>> {
  if (accountFailure !== undefined) return { signFailure: accountFailure, reviews: [] };
  let token: string | undefined;
  const signFailure = await causeIn(async () => {
    const { status } = await signer.send<{ status?: { token?: string } }>({
      method: 'POST',
      path: `${accounts}/${account}/token`,
      // The shortest that Kubernetes gives.
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600 },
      },
    });
    token = status?.token;
  });
  if (signFailure !== undefined) return { signFailure, reviews: [] };
  const reviews = await Promise.all(
    clients.map((judge) => echo(judge, () => review(judge, account, token ?? ''))),
  );
  return { reviews };
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string };
    readonly error?: string;
  };
}

async function review(judge: ApiClient, account: string, token: string): Promise<Cause | undefined> {
  const { status } = await judge.send<TokenReview>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
  });
  const name = `system:serviceaccount:${apiCanaryNamespace}:${account}`;
  if (status?.authenticated === true && status.user?.username === name) return undefined;
  return {
    code: 'unauthorized',
    message: 'does not accept the token',
    next: 'give all apiservers the same service-account keys and issuer; `kbin plan` shows what differs',
  };
}

async function echo(client: ApiClient, work: () => Promise<Cause | undefined>): Promise<Echo> {
  let failure: Cause | undefined;
  try {
    failure = await work();
  } catch (error) {
    failure = kubeCauseOf(error, 'kube-apiserver');
  }
  return { by: client.target.name, ...(failure === undefined ? {} : { failure }) };
}

async function causeIn(work: () => Promise<unknown>): Promise<Cause | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return kubeCauseOf(error, 'kube-apiserver');
  }
}

/** Through whichever apiserver can; also what a run that was killed left behind. */
async function cleanUp(
  clients: readonly ApiClient[],
  made: readonly Made[],
): Promise<ApiCanaries['leftBehind']> {
  const left = await Promise.all(
    made.map(async ({ path, making }) => {
      await making;
      return remove(clients, path);
    }),
  );
  const [first] = clients;
  if (first !== undefined) await sweep(first).catch(() => {});
  return left.filter((one) => one !== undefined);
}

async function remove(
  clients: readonly ApiClient[],
  path: string,
): Promise<ApiCanaries['leftBehind'][number] | undefined> {
  let failure: Cause | undefined;
  for (const client of clients) {
    try {
      await client.send({ method: 'DELETE', path });
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      failure = kubeCauseOf(error, 'kube-apiserver');
    }
  }
  const name = path.slice(path.lastIndexOf('/') + 1);
  return failure === undefined ? undefined : { name, failure };
}

interface List {
  readonly items?: readonly {
    readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  }[];
}

async function sweep(client: ApiClient): Promise<void> {
  const selector = encodeURIComponent(`${Object.keys(label)[0]}=${Object.values(label)[0]}`);
  for (const collection of [secrets, accounts]) {
    const { items = [] } = await client.getJson<List>(`${collection}?labelSelector=${selector}&limit=100`);
    const old = items.filter(
      ({ metadata }) =>
        metadata.name.startsWith(apiCanaryPrefix) &&
        Date.now() - new Date(metadata.creationTimestamp ?? '').getTime() > leftAfterMs,
    );
    for (const { metadata } of old)
      await client.send({ method: 'DELETE', path: `${collection}/${metadata.name}` });
  }
}
