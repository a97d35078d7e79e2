import { createHmac, randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { KbinError } from '../errors.ts';
import type { HostKey } from './host-key.ts';
import { type KnownHost, type KnownName, knownHostsName, parseKnownHosts } from './known-hosts.ts';

/** Reads known_hosts files in order; those that do not exist are passed over. @throws KbinError for an unreadable one. */
export function readKnownHosts(files: readonly string[]): KnownHost[] {
  return files.flatMap((file) => {
    try {
      return parseKnownHosts(readFileSync(file, 'utf8'), file);
    } catch (cause) {
      if (code(cause) === 'ENOENT' || code(cause) === 'ENOTDIR') return [];
      throw new KbinError(`cannot read ${file}`, {
        why: (cause as Error).message,
        next: 'make the file readable: without it no host key can be checked',
        cause,
      });
    }
  });
}

/**
 * Adds a host's key: one write to the end of the file, so that several hosts, or several kbins, may do so at once. Makes
 * the file (0600) and its folder (0700) when they are missing.
 */
export function appendKnownHost(file: string, host: KnownName, key: HostKey, hashed: boolean): void {
  const name = knownHostsName(host);
  const line = `${hashed ? hashName(name) : name} ${key.type} ${key.blob.toString('base64')}\n`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, endsInsideALine(file) ? `\n${line}` : line, { mode: 0o600 });
  } catch (cause) {
    throw new KbinError(`cannot write the host key of ${name} to ${file}`, {
      why: (cause as Error).message,
      next: 'make the file writable, or name another with ssh.knownHosts in cluster.yaml',
      cause,
    });
  }
}

function hashName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** Somebody's editor may have left the last line without its end; a line added to it would spoil both. */
function endsInsideALine(file: string): boolean {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (code(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
  } finally {
    closeSync(fd);
  }
}

function code(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code;
}
