import { apiCanaryPrefix, type StoredForm } from './api-canary.ts';
import { type Cause, causeOf } from './causes.ts';
import { type MemberClient, openMember } from './etcd-client.ts';
import { plainText } from './plain-text.ts';
import type { EtcdCredentials, EtcdTarget } from './target.ts';

/**
 * How kube-apiserver wrote a Secret into etcd: asked of etcd itself, of the first member that answers. What it holds is
 * not kept. `prefix` is the apiserver's --etcd-prefix. Never rejects.
 */
export async function readStoredForm(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  key: { readonly prefix: string; readonly namespace: string; readonly secret: string },
  deadlineMs: number,
): Promise<StoredForm> {
  const path = `${key.prefix}/secrets/${key.namespace}/${key.secret}`;
  const found = await askAny(targets, credentials, deadlineMs, async (client) =>
    formOf(await client.get(path, 'linearizable')),
  );
  return 'failure' in found ? { kind: 'unknown', failure: found.failure } : found.value;
}

/** How all Secrets that are there lie in etcd. */
export interface StoredSecrets {
  /** `k8s:enc:secretbox:v1:key1:` → how many. */
  readonly encrypted: ReadonlyMap<string, number>;
  /** `NAMESPACE/NAME` of those in plain text. */
  readonly plain: readonly string[];
  /** There are more than were looked at. */
  readonly more: boolean;
}

/** How many Secrets are looked at, and how many at once: their values come along, up to 1 MiB each. */
const most = 1000;
const page = 25;

/** Never rejects. */
export async function readStoredSecrets(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  prefix: string,
  deadlineMs: number,
): Promise<StoredSecrets | Cause> {
  const folder = `${prefix}/secrets/`;
  const found = await askAny(targets, credentials, deadlineMs, async (client): Promise<StoredSecrets> => {
    const encrypted = new Map<string, number>();
    const plain: string[] = [];
    let last: string | undefined;
    for (let looked = 0; looked < most; looked += page) {
      const heads = await client.heads(folder, page, last);
      // Those that are written for verification's sake are looked at one by one.
      for (const { key, head } of heads.filter(({ key }) => !key.includes(`/${apiCanaryPrefix}`))) {
        const form = formOf(head);
        if (form.kind === 'encrypted') encrypted.set(form.prefix, (encrypted.get(form.prefix) ?? 0) + 1);
        else plain.push(plainText(key.slice(folder.length)));
      }
      last = heads.at(-1)?.key;
      if (heads.length < page) return { encrypted, plain, more: false };
    }
    return { encrypted, plain, more: true };
  });
  return 'failure' in found ? found.failure : found.value;
}

/** What is encrypted with certain keys, in all that apiservers keep in etcd. */
export interface StoredWith {
  /** Keys of etcd without the prefix: `secrets/NAMESPACE/NAME`. */
  readonly found: readonly string[];
  /** How many values there are in all. */
  readonly total: number;
}

/**
 * Every value below `prefix` that one of these encryption keys has encrypted, whichever resource it is of: read from a
 * quorum, as long as it takes; `deadlineMs` is for one page. Never rejects.
 */
export async function readStoredWith(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  prefix: string,
  keyNames: readonly string[],
  deadlineMs: number,
): Promise<StoredWith | Cause> {
  const folder = `${prefix}/`;
  const found = await askAny(targets, credentials, deadlineMs, async (client): Promise<StoredWith> => {
    const using: string[] = [];
    let total = 0;
    for (let last: string | undefined; ; ) {
      const heads = await client.heads(folder, page, last, 'linearizable');
      total += heads.length;
      for (const { key, head } of heads) {
        const form = formOf(head);
        if (form.kind === 'encrypted' && keyNames.includes(keyNameIn(form.prefix)))
          using.push(key.slice(folder.length));
      }
      last = heads.at(-1)?.key;
      if (heads.length < page) return { found: using, total };
    }
  });
  return 'failure' in found ? found.failure : found.value;
}

/** `key1` of `k8s:enc:secretbox:v1:key1:`. */
function keyNameIn(prefix: string): string {
  return prefix.split(':')[4] ?? '';
}

async function askAny<T>(
  targets: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  deadlineMs: number,
  ask: (client: MemberClient) => Promise<T>,
): Promise<{ readonly value: T } | { readonly failure: Cause }> {
  let failure: unknown = new Error('no etcd member is known');
  for (const target of targets) {
    let client: MemberClient | undefined;
    try {
      client = await openMember(target, credentials, deadlineMs);
      return { value: await ask(client) };
    } catch (error) {
      failure = error;
    } finally {
      await client?.close();
    }
  }
  return { failure: causeOf(failure, { deadlineMs }) };
}

/** An encrypted value begins with `k8s:enc:PROVIDER:VERSION:KEYNAME:`; a plain one with `k8s` and a zero byte. */
export function formOf(value: string | undefined): StoredForm {
  if (value === undefined) return { kind: 'absent' };
  const prefix = /^k8s:enc:[a-z0-9]+:v\d+:[^:]{1,253}:/.exec(value)?.[0];
  return prefix === undefined ? { kind: 'plain' } : { kind: 'encrypted', prefix: plainText(prefix) };
}
