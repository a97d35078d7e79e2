import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { exitCode, KbinError } from '../errors.ts';
import { Mistake } from './mistake.ts';

const mostBytes = 1024 * 1024;

/** The text of a configuration file, or a KbinError (exit 2) that says why not. */
export async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw unreadable(file, cause as NodeJS.ErrnoException);
  }
  if (bytes.length > mostBytes) {
    const why = `it has ${bytes.length} bytes; a cluster.yaml has a few thousand`;
    throw new KbinError(`${file} is too large`, { why, next: 'name the right file', exit: exitCode.usage });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const next = 'save it as UTF-8, or name the right file';
    throw new KbinError(`${file} is not UTF-8 text`, { next, exit: exitCode.usage });
  }
}

/** A file that cluster.yaml names: its text, or what keeps it from being one. */
export function readNamedFile(path: string): string | Mistake {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > mostBytes) return new Mistake(`${path} has ${bytes.length} bytes; 1 MiB is the most`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'you may not read it',
      EISDIR: 'it is a folder',
      ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
    };
    return new Mistake(`cannot read ${path}: ${reasons[code ?? ''] ?? message}`);
  }
}

function unreadable(file: string, cause: NodeJS.ErrnoException): KbinError {
  const reasons: Record<string, [string, string]> = {
    ENOENT: [
      'there is no such file',
      'write one with "kbin init", or name yours with --config FILE or $KBIN_CONFIG',
    ],
    EACCES: ['you may not read it', 'run kbin as the user who owns it, or change its mode'],
    EISDIR: ['it is a folder', 'name the file in it, such as cluster.yaml'],
  };
  const [why, next] = reasons[cause.code ?? ''] ?? [cause.message, 'name a file that can be read'];
  return new KbinError(`cannot read ${file}`, { why, next, exit: exitCode.usage, cause });
}
