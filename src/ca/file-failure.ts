import { KbinError } from '../errors.ts';

/** What a file system error means to the reader. */
const causes: Readonly<Record<string, { readonly why: string; readonly next: string }>> = {
  ENOSPC: { why: 'the disk is full', next: 'make room and run the command again: nothing was changed' },
  EDQUOT: { why: 'your disk quota is used up', next: 'make room and run the command again' },
  EFBIG: { why: "it would be larger than this user's files may be", next: 'raise the limit (ulimit -f)' },
  ERR_FS_EISDIR: { why: 'there is a folder of that name', next: 'move that folder away' },
  EACCES: { why: 'permission denied', next: 'run kbin as the user that owns the folder' },
  EPERM: { why: 'not permitted', next: 'run kbin as the user that owns the folder' },
  EROFS: { why: 'the file system is mounted read-only', next: 'run kbin where the folder can be written' },
  ENOENT: {
    why: 'there is no such file',
    next: 'look at the path; "kbin pki list" shows what the store holds',
  },
  ENOTDIR: { why: 'a part of the path is a file, not a folder', next: 'move that file away' },
  EISDIR: { why: 'there is a folder of that name', next: 'move that folder away' },
};

export function fileFailure(what: string, step: string, error: unknown): KbinError {
  const code = errorCode(error);
  const known = code === undefined ? undefined : causes[code];
  return new KbinError(what, {
    step,
    why: known?.why ?? (error instanceof Error ? error.message : String(error)),
    ...(known === undefined ? {} : { next: known.next }),
    cause: error,
  });
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
