import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';
import { filled, writeAll } from './cache-folder.ts';

/** Called with bytes so far and bytes in all (0 when the server does not say). */
export type TransferProgress = (what: string, received: number, total: number) => void;

const tries = 3;
const stallSeconds = 30;

export interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly hex: string;
}

export interface DownloadOptions {
  /** Names the proxies: http_proxy, https_proxy, no_proxy. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress?: TransferProgress | undefined;
  /** Seconds without a byte after which a transfer counts as stalled. Default 30. */
  readonly stallSeconds?: number;
}

/** A small text file. Throws KbinError naming the address. */
export async function downloadText(url: string, options: DownloadOptions): Promise<string> {
  return attempt(url, options, async (response) => response.text());
}

/**
 * Downloads to `path`, which comes into being only whole and with the wanted digest. Tried again where that can help;
 * a wrong digest is final.
 */
export async function downloadFile(
  url: string,
  path: string,
  digest: Digest,
  options: DownloadOptions,
): Promise<void> {
  await attempt(url, options, (response) =>
    filled(path, async (temporary) => {
      const hash = createHash(digest.algorithm);
      const total = Number(response.headers.get('content-length') ?? 0);
      const chunks = received(response, hash, (bytes) => options.progress?.(url, bytes, total));
      await writeAll(temporary, chunks, 0o644);
      const found = hash.digest('hex');
      if (found !== digest.hex) throw wrongDigest(url, digest.hex, found);
    }),
  );
}

export function wrongDigest(what: string, wanted: string, found: string): KbinError {
  return new KbinError(`${what} has the wrong checksum`, {
    step: 'verify the release',
    why: `wanted ${wanted}, found ${found}: it is damaged, or not what it says it is`,
    next: 'Do not use it. Fetch it again from the official place, and compare the published checksum.',
  });
}

async function* received(
  response: Response,
  hash: { update(bytes: Uint8Array): unknown },
  onBytes: (received: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    hash.update(chunk);
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}

async function attempt<T>(
  url: string,
  options: DownloadOptions,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  await useProxies(options.env);
  for (let tried = 1; ; tried += 1) {
    try {
      return await once(url, options.stallSeconds ?? stallSeconds, use);
    } catch (error) {
      if (error instanceof KbinError || tried === tries) throw failure(url, error);
      await sleep(500 * 2 ** tried);
    }
  }
}

/** As other programs read them. Node before 24.14 cannot do it at run time, only with NODE_USE_ENV_PROXY=1. */
async function useProxies(env: DownloadOptions['env']): Promise<void> {
  const http = (await import('node:http')) as { setGlobalProxyFromEnv?: (env: object) => unknown };
  http.setGlobalProxyFromEnv?.(env);
}

async function once<T>(url: string, seconds: number, use: (response: Response) => Promise<T>): Promise<T> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${seconds} s`)), seconds * 1000);
  try {
    const response = await fetch(url, { signal: stalled.signal, redirect: 'follow' });
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    if (!response.ok) throw refused(url, response.status);
    const watched = response.body?.pipeThrough(
      new TransformStream({
        transform: (chunk: Uint8Array, out) => {
          timer.refresh();
          out.enqueue(chunk);
        },
      }),
    );
    return await use(new Response(watched ?? null, { headers: response.headers }));
  } finally {
    clearTimeout(timer);
  }
}

function refused(url: string, status: number): KbinError {
  return new KbinError(`Cannot download ${url}`, {
    step: 'download the release',
    why: status === 404 ? 'there is no such release (HTTP 404)' : `the server answered HTTP ${status}`,
    next: 'Check the version in cluster.yaml, or give a tarball or folder with `source:`.',
  });
}

function failure(url: string, error: unknown): unknown {
  if (error instanceof KbinError) return error;
  const reason =
    error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : error;
  return new KbinError(`Cannot download ${url}`, {
    step: 'download the release',
    why: `${reason} (tried ${tries} times)`,
    next:
      'Without internet here, fetch the tarball elsewhere and name it with `source: PATH` in cluster.yaml; ' +
      'behind a proxy, set https_proxy; a mirror goes into `source: { url: … }`.',
    cause: error,
  });
}
