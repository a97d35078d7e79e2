import { KbinError } from '../errors.ts';
import type { Host } from './host.ts';
import { inParallel } from './parallel.ts';
import { findStaged, receive } from './stage-scripts.ts';
import { fileChunks } from './stdin.ts';
import { uploadFailed } from './upload-errors.ts';

/** A file for a host. */
export interface HostFile {
  /** Absolute; the folder exists. */
  readonly path: string;
  /** Bytes, or a file on this machine that is streamed. */
  readonly content: Uint8Array | { readonly file: string; readonly size: number };
  /** Hex digest of the content. */
  readonly sha256: string;
  /** Permission bits. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

/** Bytes sent so far, of how many in all. */
export type UploadProgress = (sentBytes: number, totalBytes: number) => void;

export interface StageOptions {
  /** The caller knows that nothing of an earlier run lies in these folders: saves the round trip that looks for it. */
  readonly fresh?: boolean;
}

/** Files up to this size travel together in one command. */
const SMALL_BYTES = 1024 * 1024;
/** While the host computes one file's digest, the next is on its way. */
const LARGE_AT_ONCE = 2;
/** Seconds that a byte may take at the slowest link that is worth waiting for, 64 KiB/s, on top of commandTimeout. */
const SECONDS_PER_BYTE = 1 / 65_536;
const BASE_TIMEOUT_SECONDS = 120;

/**
 * Where a file lies before it is renamed to its path: beside it, under a name that its content decides. The prefix
 * `.kbin-` marks what a cut-off run may leave behind.
 */
export function stagedPath({ path, sha256 }: Pick<HostFile, 'path' | 'sha256'>): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/.kbin-${sha256.slice(0, 12)}-${path.slice(slash + 1)}`;
}

/** As stageMany, for one file. @returns its staged path */
export async function stage(host: Host, file: HostFile, onProgress?: UploadProgress): Promise<string> {
  await stageMany(host, [file], onProgress);
  return stagedPath(file);
}

/**
 * Puts files beside their targets, complete: content checked by its digest on the host, owner, mode and SELinux label
 * set, written through to the disk. What is staged already is left as it is and not sent. One round trip to look, one
 * for all small files together, one for each large one. Secrets go through standard input only.
 * @returns staged path by target path. @throws KbinError; nothing half-written stays behind
 */
export async function stageMany(
  host: Host,
  files: readonly HostFile[],
  onProgress: UploadProgress = () => {},
  { fresh = false }: StageOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const missing = fresh ? files : await missingOn(host, files);
  const large = missing.filter((file) => sizeOf(file) > SMALL_BYTES);
  const small = missing.filter((file) => !large.includes(file));
  const batches = [...(small.length > 0 ? [small] : []), ...large.map((file) => [file])];
  const total = missing.reduce((sum, file) => sum + sizeOf(file), 0);
  const sent = new Map<readonly HostFile[], number>();
  const settled = await inParallel(batches, LARGE_AT_ONCE, (batch) =>
    send(host, batch, (bytes) => {
      sent.set(batch, bytes);
      onProgress(
        [...sent.values()].reduce((sum, part) => sum + part, 0),
        total,
      );
    }),
  );
  // What keeps one file from arriving keeps the others too: the first to fail tells enough.
  for (const batch of settled) if ('error' in batch) throw batch.error;
  return new Map(files.map((file) => [file.path, stagedPath(file)]));
}

async function missingOn(host: Host, files: readonly HostFile[]): Promise<HostFile[]> {
  if (files.length === 0) return [];
  const { code, stdout, stderr } = await host.script(findStaged, files.flatMap(finishArguments), {
    label: 'look for staged files',
    timeout: timeoutFor(files),
  });
  if (code !== 0) {
    const what = `cannot look for staged files on ${host.name}`;
    throw new KbinError(what, { host: host.name, step: 'look for staged files', output: stderr.trim() });
  }
  const there = new Set(stdout.split('\n').filter(Boolean).map(Number));
  return files.filter((_, index) => !there.has(index));
}

async function send(
  host: Host,
  files: readonly HostFile[],
  onProgress: (sent: number) => void,
): Promise<void> {
  const paths = files.map(({ path }) => path).join(', ');
  const args = files.flatMap((file) => [String(sizeOf(file)), ...finishArguments(file)]);
  const options = {
    label: `upload ${paths}`,
    stdin: contentOf(files),
    timeout: timeoutFor(files),
    onProgress,
  };
  const result = await host.script(receive, args, options).catch((error: unknown) => {
    throw error instanceof KbinError ? error : cannotRead(host, paths, error as Error);
  });
  if (result.code !== 0) throw uploadFailed(host.name, paths, result);
}

function finishArguments(file: HostFile): string[] {
  const { sha256, mode, owner, group, path } = file;
  return [stagedPath(file), sha256, mode.toString(8).padStart(4, '0'), `${owner}:${group}`, path];
}

async function* contentOf(files: readonly HostFile[]): AsyncGenerator<Uint8Array> {
  for (const { content } of files) {
    if (content instanceof Uint8Array) yield content;
    else yield* fileChunks(content.file);
  }
}

function sizeOf({ content }: HostFile): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

function timeoutFor(files: readonly HostFile[]): number {
  const bytes = files.reduce((sum, file) => sum + sizeOf(file), 0);
  return BASE_TIMEOUT_SECONDS + bytes * SECONDS_PER_BYTE;
}

function cannotRead(host: Host, paths: string, cause: Error): KbinError {
  return new KbinError(`cannot read what should be uploaded to ${host.name} as ${paths}`, {
    host: host.name,
    step: `upload ${paths}`,
    why: cause.message,
    next: 'run the same command again; it looks for the binaries anew',
    cause,
  });
}
