import type { StoredForm } from './api-canary.ts';
import { causeOf } from './causes.ts';
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
  let failure: unknown = new Error('no etcd member is known');
  for (const target of targets) {
    let client: MemberClient | undefined;
    try {
      client = await openMember(target, credentials, deadlineMs);
      return formOf(await client.get(path, 'linearizable'));
    } catch (error) {
      failure = error;
    } finally {
      await client?.close();
    }
  }
  return { kind: 'unknown', failure: causeOf(failure, { deadlineMs }) };
}

/** An encrypted value begins with `k8s:enc:PROVIDER:VERSION:KEYNAME:`; a plain one with `k8s` and a zero byte. */
export function formOf(value: string | undefined): StoredForm {
  if (value === undefined) return { kind: 'absent' };
  const prefix = /^k8s:enc:[a-z0-9]+:v\d+:[^:]{1,253}:/.exec(value)?.[0];
  return prefix === undefined ? { kind: 'plain' } : { kind: 'encrypted', prefix: plainText(prefix) };
}
