import { ApiError, kubeCauseOf, refusal } from './api-causes.ts';
import { type ApiClient, openApi } from './api-client.ts';
import type { ApiCredentials, ApiTarget } from './api-target.ts';
import type { Cause } from './causes.ts';
import { plainText } from './plain-text.ts';

/** What one apiserver answered, or why it did not. */
export interface ApiReading {
  readonly host: string;
  readonly target: ApiTarget;
  /** It answered over TLS that verifies. */
  readonly reachable: boolean;
  /** /readyz says yes. undefined: not known. */
  readonly ready?: boolean;
  /** Names of the checks of /readyz that fail: `etcd`, `poststarthook/rbac/bootstrap-roles`, `shutdown`. */
  readonly notReady?: readonly string[];
  /** The same of /livez. */
  readonly live?: boolean;
  readonly notLive?: readonly string[];
  /** major.minor.patch without `v`, and what a build adds (`1.20.2-dirty`). */
  readonly version?: string;
  /** Milliseconds of GET /version over the open connection. */
  readonly latencyMs?: number;
  /** Why it could not be asked, or would not tell. */
  readonly failure?: Cause;
}

/** Asks every apiserver at once for /livez, /readyz and its version. Never rejects; takes about `deadlineMs`. */
export function readApiservers(
  targets: readonly ApiTarget[],
  credentials: ApiCredentials,
  deadlineMs?: number,
): Promise<readonly ApiReading[]> {
  return Promise.all(targets.map((target) => readApiserver(target, credentials, deadlineMs)));
}

export async function readApiserver(
  target: ApiTarget,
  credentials: ApiCredentials,
  deadlineMs?: number,
): Promise<ApiReading> {
  const client = openApi(target, credentials, deadlineMs);
  try {
    return await askAll(client);
  } catch (error) {
    const failure = error instanceof ApiError ? error.reason : kubeCauseOf(error, 'kube-apiserver');
    return { host: target.name, target, reachable: false, failure };
  } finally {
    client.close();
  }
}

async function askAll(client: ApiClient): Promise<ApiReading> {
  // First alone: it opens the connection that the others then share, and tells all that goes wrong.
  const live = await client.get('/livez');
  const ready = await client.get('/readyz');
  const began = performance.now();
  const version = await client.get('/version');
  const latencyMs = performance.now() - began;
  const { target } = client;
  const base = { host: target.name, target, reachable: true, latencyMs };
  const refused = [version, ready, live].find(({ status }) => status === 401 || status === 403);
  return {
    ...base,
    ...(answersHealth(ready) ? { ready: ready.status === 200, notReady: failing(ready.text) } : {}),
    ...(answersHealth(live) ? { live: live.status === 200, notLive: failing(live.text) } : {}),
    ...(version.status === 200 ? versionIn(version.text) : {}),
    ...(refused === undefined ? {} : { failure: refusal(refused) }),
  };
}

/** 401 and 403 say something of the client. */
function answersHealth({ status }: { readonly status: number }): boolean {
  return status === 200 || status >= 500;
}

/** The page of a health path has a line for each check: `[+]ping ok`, `[-]etcd failed: reason withheld`. */
export function failing(page: string): readonly string[] {
  return [...page.matchAll(/^\[-\](\S+)/gm)].map(([, name = '']) => plainText(name));
}

function versionIn(text: string): { version?: string } {
  try {
    const { gitVersion } = JSON.parse(text) as { gitVersion?: unknown };
    return typeof gitVersion === 'string' ? { version: plainText(gitVersion).replace(/^v/, '') } : {};
  } catch {
    return {};
  }
}
