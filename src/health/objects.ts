import type { Change } from '../diff/changes.ts';
import { unifiedDiff } from '../diff/text.ts';
import { type ApiClient, ApiError } from './api-client.ts';

/** An object as it should be in Kubernetes: whatever it says has to hold, what it leaves out is others' business. */
export interface WantedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Who kbin is in `metadata.managedFields`. */
const fieldManager = 'kbin';

/** What is missing or differs, in the order of `wanted`; the API is only read. Rejects with an ApiError. */
export async function compareObjects(
  client: ApiClient,
  wanted: readonly WantedObject[],
): Promise<readonly Change[]> {
  const changes = await Promise.all(wanted.map((object) => compare(client, object)));
  return changes.filter((change) => change !== undefined);
}

async function compare(client: ApiClient, wanted: WantedObject): Promise<Change | undefined> {
  const target = nameOf(wanted);
  let found: unknown;
  try {
    found = await client.getJson(pathOf(wanted));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return { kind: 'object', target, action: 'create', reason: 'does not exist' };
  }
  const differing = Object.keys(wanted).filter((key) => !holds(field(wanted, key), field(found, key)));
  if (differing.length === 0) return undefined;
  const verb = differing.length === 1 ? 'differs' : 'differ';
  return {
    kind: 'object',
    target,
    action: 'update',
    reason: `${differing.join(', ')} ${verb}${differing.includes('roleRef') ? ', so it is deleted and made anew' : ''}`,
    diff: unifiedDiff(target, shown(found, differing), shown(wanted, differing)),
  };
}

/** Whether `found` has all that `wanted` says. A list has to be the same, item by item; servers add defaults to items. */
function holds(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(found) &&
      found.length === wanted.length &&
      wanted.every((item, index) => holds(item, found[index]))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  return Object.keys(wanted).every((key) => holds(field(wanted, key), field(found, key)));
}

function field(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null
    ? (object as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function shown(object: unknown, keys: readonly string[]): string {
  const part = Object.fromEntries(
    keys.map((key) => [key, key === 'metadata' ? labels(object) : field(object, key)]),
  );
  return `${JSON.stringify(part, undefined, 2)}\n`;
}

/** The rest of live metadata (uid, managedFields) would hide them. */
function labels(object: unknown): unknown {
  const metadata = field(object, 'metadata');
  return { labels: field(metadata, 'labels'), annotations: field(metadata, 'annotations') };
}

/**
 * Makes it so, by server-side apply: what others added stays. A binding to another role is deleted and made anew, as
 * `kubectl auth reconcile` does, since Kubernetes never changes a roleRef. Rejects with an ApiError.
 */
export async function applyObject(client: ApiClient, object: WantedObject): Promise<void> {
  const apply = () =>
    client.send({
      method: 'PATCH',
      path: `${pathOf(object)}?fieldManager=${fieldManager}&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  try {
    await apply();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422 || !/roleRef/i.test(error.message)) throw error;
    await client.send({ method: 'DELETE', path: pathOf(object) });
    await apply();
  }
}

/** `ClusterRoleBinding/kbin:node-bootstrapper`, `Role/kube-system/NAME`. */
function nameOf({ kind, metadata }: WantedObject): string {
  return [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/');
}

/** The plural of the kinds that kbin keeps is regular. */
function pathOf({ apiVersion, kind, metadata }: WantedObject): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace =
    metadata.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(metadata.namespace)}`;
  return `${group}${namespace}/${kind.toLowerCase()}s/${encodeURIComponent(metadata.name)}`;
}
