import { KbinError } from '../errors.ts';
import type { CommandResult } from './host.ts';

/** Exit code of the receiving script when the bytes that arrived are not the ones that were sent. */
export const DAMAGED = 65;

const causes: readonly { says: RegExp; why: string; next: string }[] = [
  {
    says: /no space left on device/i,
    why: 'the disk is full',
    next: 'free some space there and run the same command again; what is in use was not touched',
  },
  {
    says: /disk quota exceeded/i,
    why: "root's disk quota is used up",
    next: 'raise the quota or free some space there, and run the same command again',
  },
  {
    says: /read-only file system/i,
    why: 'the file system is mounted read-only, often after a disk error',
    next: 'look at dmesg there, and remount it once the disk is well',
  },
  {
    says: /no such file or directory|directory nonexistent/i,
    why: 'its folder does not exist',
    next: 'create it, or correct `paths` in cluster.yaml',
  },
  {
    says: /is a directory/i,
    why: 'a folder is in its place',
    next: 'see what it is for, and move it away or correct `paths` in cluster.yaml',
  },
  {
    says: /invalid (user|group|spec)/i,
    why: 'its owner does not exist there',
    next: 'create the user and group on the host',
  },
  {
    says: /permission denied|operation not permitted/i,
    why: 'the file system does not let even root write there',
    next: 'look for an immutable flag (lsattr), a network mount or a security module',
  },
  {
    says: /input\/output error/i,
    why: 'the disk fails',
    next: 'look at dmesg there and replace it',
  },
];

export function uploadFailed(host: string, path: string, { code, signal, stderr }: CommandResult): KbinError {
  const known = causes.find(({ says }) => says.test(stderr));
  const ending = signal
    ? `the receiving script was ended by ${signal}`
    : `the receiving script ended with ${code}`;
  if (code === DAMAGED) {
    return new KbinError(`${path} did not arrive whole on ${host}`, {
      host,
      step: `upload ${path}`,
      why: 'the digest on the host is not the one of this machine: the file here has changed meanwhile, or was cut off',
      next: 'run the same command again',
      output: stderr.trim(),
    });
  }
  return new KbinError(`cannot upload ${path} to ${host}`, {
    host,
    step: `upload ${path}`,
    why: known?.why ?? ending,
    ...(known && { next: known.next }),
    output: stderr.trim(),
  });
}
